// SPDX-License-Identifier: Apache-2.0
/*
 * Input: vcourier-backup.json. What is accepted names files below its directory only, each
 * stream once; what is refused has a reason.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backup_set.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct backup_set set;
	struct err err = { .code = ERR_NONE };
	char *text = malloc(size + 1);

	if (size > 0)
		memcpy(text, data, size);
	text = realloc(text, size > 0 ? size : 1);
	if (backup_set_parse(text, size, &set, &err) != 0) {
		assert(err.code == ERR_CONFIG && err.text[0] != '\0' && set.n == 0);
	} else {
		for (size_t i = 0; i < set.n; i++) {
			assert(set.entry[i].stream[0] != '\0');
			assert(strpbrk(set.entry[i].stream, "./\\\n") == NULL);
			assert(strlen(set.entry[i].sha256) == 64);
			for (size_t j = 0; j < i; j++)
				assert(strcmp(set.entry[i].stream, set.entry[j].stream) != 0);
		}
		backup_set_free(&set);
	}
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: replies of collectors to `vcourier events`, a NUL byte between them. Each name stands
 * in the list once, the classes of the type table stay in it, and the list is sorted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct catalogue_entry **list;
	struct fuzz_parts parts;
	struct catalogue c;
	size_t n, described = 0;

	fuzz_parts_init(&parts, data, size);
	catalogue_init(&c);
	while (fuzz_more(&parts)) {
		const char *reply = fuzz_part(&parts);

		catalogue_take(&c, reply, strlen(reply));
	}
	list = catalogue_sorted(&c, &n);
	assert(n >= 443 && n <= CATALOGUE_MAX);
	for (size_t i = 0; i < n; i++) {
		assert(list[i]->name[0] != '\0' && list[i]->events == 0);
		assert(i == 0 || strcmp(list[i - 1]->name, list[i]->name) < 0);
		described += list[i]->description != NULL;
	}
	assert(c.described == (described > 0));
	free((void *)(uintptr_t)list);
	catalogue_free(&c);
	fuzz_parts_free(&parts);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Input: a NATS header block, as it stands in a stream: anybody's who may publish. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "header_block.h"
#include "jetstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *block = malloc(size + 1), value[64];
	struct header_line line;
	const char *p = block;

	memcpy(block, data, size);
	block[size] = '\0';
	while (header_block_next(&p, &line)) {
		assert(line.name >= block && line.name_len > 0 &&
			line.name[line.name_len] == ':');
		assert(line.value > line.name + line.name_len &&
			line.value + line.value_len <= p && p <= block + size);
		assert(line.value_len == 0 ||
			(*line.value != ' ' && line.value[line.value_len - 1] != ' '));
	}
	if (jetstream_msg_header(block, "Vcourier-Target", value, sizeof(value)))
		assert(strlen(value) < sizeof(value));
	free(block);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a NATS header block, as it is stored: anybody's who may publish. The list has what one
 * header after the other has, and a message finds each of them.
 */
#define _DEFAULT_SOURCE /* strdup, strncasecmp */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_bus.h"
#include "header_block.h"
#include "jetstream.h"

static size_t
walk(const char *block, size_t size)
{
	struct header_line line;
	const char *p = block;
	size_t n = 0;

	for (; header_block_next(&p, &line); n++) {
		assert(line.name >= block && line.name_len > 0 &&
			line.name[line.name_len] == ':');
		assert(line.value > line.name + line.name_len &&
			line.value + line.value_len <= p && p <= block + size);
		assert(line.value_len == 0 ||
			(*line.value != ' ' && line.value[line.value_len - 1] != ' '));
	}
	return n;
}

static void
count(void *n, const char *name, const char *value)
{
	assert(*name != '\0' && value != NULL);
	(*(size_t *)n)++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts parts;
	struct bus_header *list;
	struct bus_msg *msg;
	char value[64], *copy;
	const char *block;
	size_t n, n_list, n_each = 0;

	fuzz_parts_init(&parts, data, size);
	block = fuzz_part(&parts);
	n = walk(block, strlen(block));
	if (jetstream_msg_header(block, "Vcourier-Target", value, sizeof(value)))
		assert(strlen(value) < sizeof(value));
	copy = strdup(block);
	list = header_block_list(copy, &n_list);
	assert(n_list == n);
	msg = fuzz_bus_message(
		&(struct fuzz_message){ .subject = "x", .block = block, .data = "", .len = 0 });
	for (size_t i = 0; i < n_list; i++) {
		assert(strstr(list[i].value, "\r\n") == NULL);
		assert(bus_msg_header(msg, list[i].name) != NULL);
		assert(bus_msg_last_header(msg, list[i].name) != NULL);
	}
	bus_msg_each_header(msg, count, &n_each);
	assert(n_each == n && bus_msg_has_own_headers(msg) && !bus_msg_headers_doubtful(msg));
	bus_msg_free(msg);
	free(list);
	free(copy);
	fuzz_parts_free(&parts);
	return 0;
}

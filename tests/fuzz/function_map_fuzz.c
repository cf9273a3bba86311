// SPDX-License-Identifier: Apache-2.0
/*
 * Input: the namespaces or a saved map, a NUL byte, the functions, a NUL byte, a topic. Who
 * matches wants the topic; nobody twice. A second map with the same namespaces and no functions
 * keeps them all. A map that was saved and restored is the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "function_list.h"
#include "function_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAVED_MAX = 16 * 1024 * 1024 };

static void
save_and_restore(const struct function_map *map, bool wildcards)
{
	struct function_map *restored = function_map_new(wildcards);
	struct buf text;

	buf_init(&text, SAVED_MAX);
	function_map_save(map, &text);
	assert(buf_ok(&text));
	assert(function_map_restore(restored, buf_str(&text), text.len, NULL) == 0);
	function_map_seal(restored);
	assert(function_map_same(map, restored));
	buf_free(&text);
	function_map_free(restored);
}

/* Restores text that function_map_save did not write. What it adds can be saved. */
static void
restore(const char *text, bool wildcards)
{
	struct function_map *map = function_map_new(wildcards);

	if (function_map_restore(map, text, strlen(text), NULL) == 0) {
		function_map_seal(map);
		save_and_restore(map, wildcards);
	}
	function_map_free(map);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *functions, *topic, *topics[2];
	struct function_map *map = function_map_new(size % 2 == 0), *next;
	struct refresh_time time = { .empty_grace_ms = 1 };
	struct function_map_kept kept;
	struct targets targets = { .target = NULL };

	memcpy(text, data, size);
	text[size] = '\0';
	functions = text + strlen(text) + (strlen(text) < size);
	topic = functions + strlen(functions);
	topic += topic < text + size;
	function_list_namespaces(map, text, strlen(text), NULL);
	function_list_functions(map,
		function_map_namespaces(map) > 0 ? function_map_namespace(map, 0) : "",
		functions, strlen(functions), NULL);
	function_map_seal(map);
	topics[0] = topic;
	topics[1] = "A";
	function_map_match(map, topics, 2, &targets);
	for (size_t i = 0; i < targets.n; i++) {
		const char *name = targets.target[i].name;

		assert(function_map_wants(map, name, topic) ||
			function_map_wants(map, name, "A"));
		for (size_t j = 0; j < i && i < 100; j++)
			assert(strcmp(name, targets.target[j].name) != 0);
	}
	save_and_restore(map, size % 2 == 0);
	restore(text, size % 2 == 0);
	next = function_map_new(size % 2 == 0);
	function_list_namespaces(next, text, strlen(text), NULL);
	function_map_keep(next, map, &time, &kept);
	function_map_seal(next);
	for (size_t i = 0; i < targets.n && i < 100; i++)
		assert(function_map_wants(next, targets.target[i].name, topic) ||
			function_map_wants(next, targets.target[i].name, "A"));
	targets_free(&targets);
	function_map_free(map);
	function_map_free(next);
	free(text);
	return 0;
}

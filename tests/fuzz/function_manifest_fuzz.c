// SPDX-License-Identifier: Apache-2.0
/*
 * Input: an event in structured mode, a NUL byte, a function's file. A file is read whole or
 * not at all: each function has a name, an address and a Trigger, a refusal names the file. A
 * filter gives the same answer twice, and equals itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "function_manifest.h"
#include "fuzz.h"
#include "mem.h"
#include "text.h"

static const struct function_rules rules = { .broker = "default",
	.service_url = "http://{name}:{port}/",
	.type_style = FUNCTION_TYPE_AUTO };

static void
check_entry(const struct function_entry *entry, const struct event *ev)
{
	assert(*entry->name != '\0' && strlen(entry->name) <= FUNCTION_SET_NAME_MAX);
	assert(text_starts(entry->url, "http://") || text_starts(entry->url, "https://"));
	assert(entry->n_triggers > 0 && entry->n_triggers <= FUNCTION_TRIGGERS_MAX);
	for (size_t i = 0; i < entry->n_triggers; i++) {
		const struct function_filter *filter = entry->trigger[i].filter;

		assert(function_filter_same(filter, filter));
		assert(function_filter_match(filter, ev, ev->type) ==
			function_filter_match(filter, ev, ev->type));
		assert(function_filter_style(filter) <= EVENT_TYPE_VSPHERE_UNVERSIONED);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts parts;
	struct function_set set;
	struct event ev;
	struct err err;
	const char *json, *text, *path;
	char *directory;
	size_t len;

	fuzz_parts_init(&parts, data, size);
	json = fuzz_part(&parts);
	event_init(&ev);
	if (event_parse(&ev, json, strlen(json), &err) != 0)
		event_clear(&ev);
	text = fuzz_rest(&parts, &len);
	path = fuzz_file(text, len);
	directory = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	function_set_init(&set);
	if (function_manifest_read(
		    &set, directory, path + strlen(directory) + 1, &rules, &err) != 0)
		assert(set.n == 0 && err.text[0] != '\0' && err.text[0] != '/');
	for (size_t i = 0; i < set.n; i++)
		check_entry(set.entry[i], &ev);
	function_set_free(&set);
	free(directory);
	event_free(&ev);
	fuzz_parts_free(&parts);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a pattern, a NUL byte, an event. Neither may hurt, and no match without an event that
 * is JSON.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json.h"
#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *event = memchr(data, 0, size), *rest;
	struct pattern *pattern;
	struct err err;

	if (event == NULL || pattern_compile(&pattern, text, (size_t)(event - text), &err) != 0)
		return 0;
	event++;
	rest = event;
	for (int i = 0; i < 2; i++) {
		int rc = pattern_match(pattern, event, size - (size_t)(event - text), &err);

		if (i == 0 && rc >= 0)
			assert(json_skip_value(&rest, text + size));
	}
	pattern_free(pattern);
	return 0;
}

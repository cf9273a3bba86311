// SPDX-License-Identifier: Apache-2.0
/*
 * Input: bytes, as a JSON text and as text to be written as JSON. What our scanner accepts,
 * cJSON accepts, too; what we write is one JSON string that reads as the text.
 */
#define _GNU_SOURCE /* memmem */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fuzz.h"
#include "json.h"
#include "json_member.h"
#include "text.h"

static void
check_scan(const char *text, size_t size)
{
	const char *p = text, *end = text + size;
	cJSON *parsed;

	if (!json_skip_value(&p, end)) {
		assert(p >= text && p <= end);
		return;
	}
	assert(p > text && p <= end);
	/* cJSON ends a string at \u0000 and refuses lone surrogates */
	if (memmem(text, size, "\\u", 2) != NULL)
		return;
	parsed = cJSON_ParseWithLength(text, (size_t)(p - text));
	assert(parsed != NULL);
	json_member_int(parsed, "a");
	json_member_uint(parsed, "a");
	json_member_true(parsed, "a");
	assert(json_member_text(parsed, "a") != NULL);
	cJSON_Delete(parsed);
}

/* What is found is one valid value. */
static void
check_find(const char *text, size_t size)
{
	struct buf value;
	const char *p;

	buf_init(&value, size + 1);
	if (json_find_member(text, size, "a", &value)) {
		p = buf_str(&value);
		assert(json_skip_value(&p, buf_str(&value) + value.len));
		assert(p == buf_str(&value) + value.len);
	} else {
		assert(value.len == 0);
	}
	buf_free(&value);
}

static void
check_decode(const char *text, size_t size)
{
	struct buf decoded;
	const char *p = text;

	buf_init(&decoded, size + 1);
	if (json_decode_string(text, size, &decoded)) {
		assert(decoded.len < size);
		/* as a whole it is a JSON string, unless it has bytes that are not UTF-8 */
		if (text_utf8_valid(text, size) == size &&
			memchr(text + 1, '"', size - 2) == NULL)
			assert(json_skip_value(&p, text + size) && p == text + size);
	}
	buf_free(&decoded);
}

static void
check_write(const char *text, size_t size)
{
	struct buf written, read;
	const char *p, *end;

	buf_init(&written, JSON_ESCAPED_MAX * size + 2);
	buf_init(&read, JSON_ESCAPED_MAX * size + 2);
	json_add_string(&written, text, size);
	assert(buf_ok(&written));
	p = buf_str(&written);
	end = p + written.len;
	assert(json_skip_value(&p, end) && p == end);
	assert(json_decode_string(buf_str(&written), written.len, &read));
	if (text_utf8_valid(text, size) == size)
		assert(read.len == size && (size == 0 || memcmp(read.data, text, size) == 0));
	/* it may say yes of text that is not ASCII */
	if (!json_needs_escape(text, size))
		assert(written.len == size + 2);
	buf_free(&written);
	buf_free(&read);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* so that one byte too far is seen */

	if (size > 0)
		memcpy(text, data, size);
	text = realloc(text, size > 0 ? size : 1);
	check_scan(text, size);
	check_find(text, size);
	check_decode(text, size);
	check_write(text, size);
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a text that may be a number, a duration, a size, a time, base64 or UTF-8 with URLs.
 * What is read of it is written and read again as the same; what is masked has no password.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "buf.h"
#include "clock.h"
#include "fuzz.h"
#include "text.h"
#include "url_mask.h"

static void
check_numbers(const char *text)
{
	char digits[TEXT_INT_SIZE], duration[32];
	int64_t n, again;

	if (text_int(text, INT64_MIN, INT64_MAX, &n)) {
		text_from_int(n, digits);
		assert(text_int(digits, n, n, &again) && again == n);
	}
	if (text_int(text, -5, 5, &n))
		assert(n >= -5 && n <= 5);
	if (text_duration(text, &n)) {
		assert(n >= 0);
		text_duration_str(n, duration, sizeof(duration));
		assert(text_duration(duration, &again) && again == n);
	}
	if (text_size(text, &n))
		assert(n >= 0);
}

static void
check_time(const char *text)
{
	char written[CLOCK_TEXT_SIZE];
	int64_t us, again;

	if (!clock_parse(text, strlen(text), &us))
		return;
	clock_format(us, written);
	assert(clock_parse(written, strlen(written), &again) && again == us);
	clock_format_ms(us, written);
	assert(clock_parse(written, strlen(written), &again));
	assert(again <= us && us - again < 1000);
}

static void
check_base64(const char *text, size_t len)
{
	struct buf bytes, again;

	buf_init(&bytes, len + 8);
	buf_init(&again, 2 * len + 8);
	if (base64_decode(&bytes, text, len)) {
		base64_encode(&again, bytes.data, bytes.len);
		assert(again.len == len && bytes.len <= len / 4 * 3);
	} else {
		assert(bytes.len == 0);
	}
	buf_clear(&bytes);
	if (base64_decode_url(&bytes, text, len))
		assert(bytes.len <= len);
	else
		assert(bytes.len == 0);
	buf_clear(&again);
	base64_encode(&again, text, len);
	buf_clear(&bytes);
	assert(base64_decode(&bytes, buf_str(&again), again.len) && bytes.len == len);
	assert(len == 0 || memcmp(bytes.data, text, len) == 0);
	buf_free(&bytes);
	buf_free(&again);
}

static void
check_text(const char *text, const char *other)
{
	struct buf masked, again;
	size_t len = strlen(text), valid = text_utf8_valid(text, len);
	unsigned distance = text_distance(text, other, 3);

	assert(valid <= len && text_utf8_valid(text, valid) == valid);
	assert(distance <= 4 && text_distance(other, text, 3) == distance);
	assert(len > 64 || text_distance(text, text, 3) == 0);
	buf_init(&masked, 4 * len + 64);
	buf_init(&again, 4 * len + 64);
	url_mask_add(&masked, text);
	url_mask_add(&again, buf_str(&masked));
	assert(!buf_ok(&masked) || strcmp(buf_str(&masked), buf_str(&again)) == 0);
	buf_free(&masked);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts parts;
	const char *text;

	fuzz_parts_init(&parts, data, size);
	text = fuzz_part(&parts);
	check_numbers(text);
	check_time(text);
	check_base64(text, strlen(text));
	check_base64(parts.text, size);
	check_text(text, fuzz_part(&parts));
	fuzz_parts_free(&parts);
	return 0;
}

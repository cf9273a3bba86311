// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a SOAP reply. Its events are JSON objects with an identity. They are the same when
 * the reply arrives in pieces of any size, and, for a reply of up to SHIFT_MAX bytes, wherever
 * in it the normalizer's first block ends. The reader of small replies takes the same bytes.
 */
#define _GNU_SOURCE /* memmem */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hash.h"
#include "json.h"
#include "normalize.h"
#include "normalize_internal.h"
#include "soap.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PAGE_BYTES = 32 * 1024,
	EVENT_BYTES = 4096,
	SHIFT_MAX = 7 * 1024, /* with a block before it less than three quarters of a page */
};

static int
read_page(struct normalizer *n, const char *reply, size_t size, size_t piece,
	struct normalize_page *page)
{
	struct err err = { 0 };
	int rc;

	normalizer_begin(n);
	for (size_t i = 0; i < size; i += piece) {
		if (normalizer_feed(n, reply + i, size - i < piece ? size - i : piece, &err) !=
			0)
			break;
	}
	rc = normalizer_end(n, page, &err);
	assert(rc == 0 || (err.code == ERR_PROTOCOL || err.code == ERR_LIMIT));
	return rc;
}

static void
check_event(const struct normalize_event *ev)
{
	const char *s = ev->data, *end = s + ev->data_len;

	assert(*s == '{' && json_skip_value(&s, end) && s == end);
	assert(text_utf8_valid(ev->data, ev->data_len) == ev->data_len);
	assert(ev->created[0] != '\0' && ev->class_name[0] != '\0' && ev->name[0] != '\0');
	assert(ev->severity != NULL && ev->datacenter != NULL && ev->cluster != NULL);
	assert(ev->data_len <= EVENT_BYTES);
}

static void
check_same(const struct normalize_page *a, const struct normalize_page *b)
{
	assert(a->n == b->n && a->n_left_out == b->n_left_out &&
		a->n_bad_chars == b->n_bad_chars);
	for (size_t i = 0; i < a->n; i++) {
		assert(a->event[i].data_len == b->event[i].data_len);
		assert(memcmp(a->event[i].data, b->event[i].data, a->event[i].data_len) == 0);
	}
}

/* XML without a declaration may begin with spaces. They move the end of the first block. */
static void
check_shifted(
	struct normalizer *plain, struct normalizer *shifted, const char *reply, size_t size)
{
	static char text[NORMALIZE_BLOCK + SHIFT_MAX];
	const char *declaration_end;
	struct normalize_page a, b;
	size_t spaces;

	if (size >= 5 && memcmp(reply, "<?xml", 5) == 0) {
		declaration_end = memmem(reply, size, "?>", 2);
		if (declaration_end == NULL)
			return;
		size -= (size_t)(declaration_end + 2 - reply);
		reply = declaration_end + 2;
	}
	if (size == 0 || size > SHIFT_MAX || read_page(plain, reply, size, size, &a) != 0)
		return;
	spaces = NORMALIZE_BLOCK - hash_fnv1a(HASH_FNV1A, reply, size) % size;
	memset(text, ' ', spaces);
	memcpy(text + spaces, reply, size);
	assert(read_page(shifted, text, spaces + size, spaces + size, &b) == 0);
	check_same(&a, &b);
}

static void
read_small_reply(const char *reply, size_t size)
{
	struct soap_reply *parsed = NULL;

	if (soap_parse(&parsed, reply, size, NULL) != 0)
		return;
	for (const struct soap_node *node = soap_get(soap_body(parsed), "returnval");
		node != NULL; node = soap_next(node)) {
		soap_text(node, "about/instanceUuid");
		soap_type(node);
		soap_moref_type(node);
	}
	soap_free(parsed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct normalizer *whole, *pieces;
	const struct normalize_limits limits = {
		.page_max = PAGE_BYTES, .event_max = EVENT_BYTES, .events_max = 100
	};
	struct normalize_page a, b;
	const char *reply = (const char *)data;

	if (whole == NULL) {
		normalizer_open(&whole, &limits);
		normalizer_open(&pieces, &limits);
	}
	if (read_page(whole, reply, size, size + 1, &a) == 0) {
		for (size_t i = 0; i < a.n; i++)
			check_event(&a.event[i]);
		assert(read_page(pieces, reply, size, 1 + size % 61, &b) == 0);
		check_same(&a, &b);
	} else if (normalizer_end_partial(whole, &a)) {
		assert(normalizer_has_begun(whole));
		for (size_t i = 0; i < a.n; i++)
			check_event(&a.event[i]);
	}
	check_shifted(whole, pieces, reply, size);
	read_small_reply(reply, size);
	return 0;
}

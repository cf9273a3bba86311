// SPDX-License-Identifier: Apache-2.0
/* dispatcher/copied_headers.h and lib/bus/header_block.h's list. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "copied_headers.h"
#include "header_block.h"
#include "mem.h"

struct list {
	struct bus_header *header;
	size_t n;
};

static void
each(const void *message, void (*fn)(void *, const char *, const char *), void *ctx)
{
	const struct list *list = message;

	for (size_t i = 0; i < list->n; i++)
		fn(ctx, list->header[i].name, list->header[i].value);
}

static void
copied(void **state)
{
	static const struct {
		const char *block, *want;
		size_t left_out;
	} rows[] = {
		{ "NATS/1.0\r\n\r\n", "", 0 },
		/* those of the event first; names in any case */
		{ "NATS/1.0\r\nX: 1\r\nCE-id: 2\r\ncontent-type: a/b\r\n\r\n",
			"CE-id=2|content-type=a/b|X=1|", 0 },
		/* what means something to the server or to us is not a header of the event's */
		{ "NATS/1.0\r\nNats-Rollup: all\r\nnats-ttl: 1\r\nX-Nats-Msg-Id: 2\r\nVCOURIER-Target: t\r\nA: a\r\n\r\n",
			"A=a|", 0 },
		/* a name that is no token, a value with a control character */
		{ "NATS/1.0\r\na b: c\r\nx\nVcourier-Stream: s\r\nB: b\nce-id: 1\r\nC: \x1b[2J\r\nD: d\te\r\n\r\n",
			"D=d\te|", 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *block = mem_strdup(rows[i].block);
		struct list list = { .n = 0 };
		struct copied_headers c;
		struct buf got;

		list.header = header_block_list(block, &list.n);
		buf_init(&got, 1000);
		copied_headers_take(&c, each, &list, SIZE_MAX);
		for (size_t k = 0; k < c.n; k++)
			buf_printf(&got, "%s=%s|", c.header[k].name, c.header[k].value);
		assert_string_equal(buf_str(&got), rows[i].want);
		assert_int_equal(c.left_out, rows[i].left_out);
		buf_free(&got);
		free(list.header);
		free(block);
	}
}

/* Whatever there is: within the budgets, and all of the rest is counted. */
static void
budgets(void **state)
{
	static char value[70000], small[1000];
	struct bus_header header[2000];
	struct list list = { .header = header };
	struct copied_headers c;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	memset(small, 's', sizeof(small) - 1);
	for (list.n = 0; list.n < 2000; list.n++)
		header[list.n] = (struct bus_header){ "x", "y" };
	copied_headers_take(&c, each, &list, SIZE_MAX);
	assert_int_equal(c.n, COPIED_HEADERS_MAX);
	assert_int_equal(c.left_out, 2000 - COPIED_HEADERS_MAX);
	assert_int_equal(c.bytes, COPIED_HEADERS_MAX * strlen("x: y\r\n"));

	header[0] = (struct bus_header){ "ce-large", value };
	for (list.n = 1; list.n < 90; list.n++)
		header[list.n] = (struct bus_header){ list.n % 2 ? "ce-x" : "X", small };
	copied_headers_take(&c, each, &list, SIZE_MAX);
	assert_int_equal(c.n + c.left_out, 90);
	assert_true(c.bytes <= COPIED_EVENT_BYTES_MAX + COPIED_OTHER_BYTES_MAX);
	assert_int_equal(
		c.n, 45 + 4); /* all attributes but the large one, 4 KiB of the others */
	copied_headers_take(&c, each, &list, 2500);
	assert_int_equal(c.n, 2);
	copied_headers_take(&c, each, &list, 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.left_out, 90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(copied),
		cmocka_unit_test(budgets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * collector/soap.h, on replies of several megabytes: each ends at a bound, in CPU time that is
 * linear in its bytes. Apart from soap_test, which also runs in valgrind: there this takes two
 * minutes.
 */
#include "test.h"

#include <malloc.h>
#include <time.h>

#include "soap.h"

/* Each may be sent by whoever answers in place of a vCenter, before it knows a password. */
static void
bounds(void **state)
{
	static const struct {
		const char *open, *unit;
		size_t bytes;
		enum err_code code;
	} rows[] = {
		{ "<r>", "<a>What a description says, %zu</a>", 4 << 20, ERR_NONE }, /* usual */
		{ "", "<a/>", 8 << 20, ERR_LIMIT }, /* a tree of 280 MB */
		{ "<b>", "<a b='' c='' d='' e='' f=''/>", 8 << 20, ERR_LIMIT },
		{ "<b", " a%zu=''", 4 << 20, ERR_LIMIT },
		{ "<b", " xmlns:a%zu='b'", 4 << 20, ERR_LIMIT },
		{ "", "<a xmlns:b%zu='b' xmlns:c%zu='c' xmlns:d%zu='d'>", 4 << 20, ERR_LIMIT },
		{ "", "<a%zu/>", 4 << 20, ERR_LIMIT },
		{ "", "&", 8 << 20, ERR_PROTOCOL },
		{ "", "<?a?>", 8 << 20, ERR_PROTOCOL }, /* no body: no node for any */
		{ "", "<!---->", 8 << 20, ERR_PROTOCOL },
		{ "", "x", 17 << 20, ERR_LIMIT },
	};
	double usual = 0; /* CPU time of a byte */
	struct buf b;

	(void)state;
	buf_init(&b, 32 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct soap_reply *reply = NULL;
		struct err err = { 0 };
		clock_t start;
		double cpu;

		buf_clear(&b);
		buf_printf(&b, "<Envelope><Body>%s", rows[i].open);
		for (size_t k = 0; b.len < rows[i].bytes; k++)
			buf_printf(&b, rows[i].unit, k, k, k);
		buf_add_str(&b, i == 0 ? "</r></Body></Envelope>" : "</Body></Envelope>");
		start = clock();
		assert_int_equal(soap_parse(&reply, b.data, b.len, &err), i == 0 ? 0 : -1);
		cpu = (double)(clock() - start) / (double)b.len;
		usual = i == 0 ? cpu : usual;
		soap_free(reply);
		if (err.code != rows[i].code || cpu > 50 * usual)
			fail_msg("row %zu: %s, %.1f times", i, err.text, cpu / usual);
	}
	buf_free(&b);
}

struct memory {
	size_t items, most; /* bytes allocated during a call */
};

static void
measure(void *ctx, const struct soap_node *item)
{
	struct memory *memory = ctx;
	const struct mallinfo2 now = mallinfo2();
	size_t bytes = now.uordblks + now.hblkhd;

	assert_string_equal(soap_text(item, "name"), "What a description says");
	memory->items++;
	memory->most = bytes > memory->most ? bytes : memory->most;
}

/* A list of 50,000 items, with blanks between them: their tree takes 31 MB. */
static void
items_are_not_kept(void **state)
{
	enum { ITEMS = 50000 };
	struct memory memory = { 0 };
	const struct soap_items items = { "val", "item", measure, &memory };
	struct soap_reply *reply = NULL;
	struct mallinfo2 before;
	struct err err;
	struct buf b;

	(void)state;
	buf_init(&b, 16 << 20);
	buf_add_str(&b, "<Envelope><Body><r><val>");
	for (size_t i = 0; i < ITEMS; i++)
		buf_printf(&b, "<item><name>What a description says</name></item>%99s\n", "");
	buf_add_str(&b, "</val></r></Body></Envelope>");
	before = mallinfo2();
	assert_int_equal(soap_parse_items(&reply, &items, b.data, b.len, &err), 0);
	assert_int_equal(memory.items, ITEMS);
	/* the parser has a copy of its input */
	assert_true(memory.most < before.uordblks + before.hblkhd + 2 * b.len);
	soap_free(reply);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(items_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

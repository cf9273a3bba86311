// SPDX-License-Identifier: Apache-2.0
/*
 * collector/soap.h, on replies of several megabytes: each ends at a bound, in CPU time that is
 * linear in its bytes. Apart from soap_test, which also runs in valgrind: there this takes two
 * minutes.
 */
#include "test.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

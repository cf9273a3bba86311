// SPDX-License-Identifier: Apache-2.0
/* collector/vim_version.c: vimServiceVersions.xml, as vSphere 5.5 to 8.0 have it. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "vim_session.h"

#define HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!-- Copyright -->\n<namespaces version=\"1.0\">"
#define TAIL "</namespaces>"
#define VIM25(version, prior) "<namespace><name>urn:vim25</name>" version prior "</namespace>"
#define VERSION(v) "<version>" v "</version>"
#define PRIOR(v) "<priorVersions>" v "</priorVersions>"
#define VIM2 "<namespace><name>urn:vim2</name><version>2.0</version></namespace>"

static void
lists(void **state)
{
	static const struct {
		const char *xml, *want;
	} rows[] = {
		{ HEAD VIM25(VERSION("8.0.3.0"),
			  PRIOR(VERSION("8.0.2.0") VERSION("7.0.3.2") VERSION("6.5")))
				VIM2 TAIL,
			"8.0.3.0 8.0.2.0 7.0.3.2 6.5 " },
		{ HEAD VIM2 VIM25("\n" VERSION("5.5") "\n",
			  PRIOR("\n" VERSION("2.5u2server") "\n")) TAIL,
			"5.5 2.5u2server " },
		{ HEAD VIM25(VERSION("6.5"), "") TAIL, "6.5 " },
		/* what would not do in a header is passed over */
		{ HEAD VIM25(VERSION("6.5&#13;&#10;X: y"),
			  PRIOR(VERSION("6.0") VERSION("") VERSION("v1") VERSION("5.5 ")
					  VERSION("1234567890123456789012345678901") VERSION(
						  "12345678901234567890123456789012"))) TAIL,
			"6.0 1234567890123456789012345678901 " },
		/* no list */
		{ HEAD VIM2 TAIL, NULL },
		{ HEAD VIM25("", "") TAIL, NULL },
		{ HEAD TAIL, NULL },
		{ "<html><body>login</body></html>", NULL },
		{ "<!DOCTYPE namespaces [<!ENTITY a \"6.5\">]><namespaces/>", NULL },
		{ "<namespaces>", NULL },
		{ "", NULL },
		{ "404", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vim_versions v;
		struct err err;
		char got[2048] = "";
		int failed = vim_versions_parse(&v, rows[i].xml, strlen(rows[i].xml), &err);

		assert_int_equal(failed != 0, rows[i].want == NULL);
		for (size_t k = 0; !failed && k < v.n; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
				v.version[k]);
		if (!failed)
			assert_string_equal(got, rows[i].want);
	}
}

static void
a_list_without_end(void **state)
{
	struct vim_versions v;
	struct buf xml;
	struct err err;

	(void)state;
	buf_init(&xml, 1 << 20);
	buf_add_str(&xml,
		HEAD "<namespace><name>urn:vim25</name><version>9.0</version><priorVersions>");
	for (int i = 0; i < 10000; i++)
		buf_printf(&xml, "<version>8.%d</version>", i);
	buf_add_str(&xml, "</priorVersions></namespace>" TAIL);
	assert_int_equal(vim_versions_parse(&v, xml.data, xml.len, &err), 0);
	assert_int_equal(v.n, 64);
	assert_string_equal(v.version[0], "9.0");
	buf_free(&xml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists),
		cmocka_unit_test(a_list_without_end) };

	return cmocka_run_group_tests_name("vim_version", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <string.h>

#include "subject.h"

static void
tokens(void **state)
{
	static const struct { const char *name, *want; } rows[] = {
		{ "", "_" },
		{ "_", "=5F" },
		{ "Prod-A_1", "Prod-A_1" },
		{ "a.b", "a=2Eb" },
		{ "DC 0>*", "DC=200=3E=2A" },
		{ "M\xc3\xbcnchen", "M=C3=BCnchen" },
		{ "=", "=3D" },
		{ "0123456789012345678901234567890123456789012345678901234567890123",
			"0123456789012345678901234567890123456789012345678901234567890123" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&b);
		subject_add_token(&b, rows[i].name, strlen(rows[i].name));
		assert_string_equal(buf_str(&b), rows[i].want);
	}
	/* FNV-1a of 65 times "a": computed with python3 */
	buf_clear(&b);
	subject_add_token(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 65);
	assert_string_equal(buf_str(&b), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~2DD603EC");
	buf_free(&b);
}

static void
subjects(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	subject_write(&b, &(struct subject_parts){ .vcenter = "lab", .datacenter = "Berlin", .cluster = "Prod-A",
				  .severity = "info", .eventclass = "event", .name = "VmPoweredOnEvent" });
	assert_string_equal(buf_str(&b), "vc.lab.Berlin.Prod-A.info.event.VmPoweredOnEvent");
	subject_write(&b, &(struct subject_parts){ .prefix = "p", .vcenter = "a.b", .severity = "error",
				  .eventclass = "eventex", .name = "com.vmware.vc.HA.X" });
	assert_string_equal(buf_str(&b), "p.a=2Eb._._.error.eventex.com.vmware.vc.HA.X");
	subject_write(&b, &(struct subject_parts){ .vcenter = "v", .severity = "info", .eventclass = "eventex",
				  .name = "a..b.c.d.e.f.g.h" });
	assert_string_equal(buf_str(&b), "vc.v._._.info.eventex.a._.b.c.d.e.f=2Eg=2Eh");
	subject_write(&b, &(struct subject_parts){ .vcenter = "v", .severity = "info", .eventclass = "eventex", .name = "" });
	assert_string_equal(buf_str(&b), "vc.v._._.info.eventex._");
	subject_stream(&b, "vc 1");
	assert_string_equal(buf_str(&b), "VC_vc=201");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tokens), cmocka_unit_test(subjects) };

	return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}

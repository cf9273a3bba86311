// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "subject.h"

static void
tokens(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
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
	subject_add_token(
		&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 65);
	assert_string_equal(
		buf_str(&b), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~2DD603EC");
	buf_free(&b);
}

static void
decoded_tokens(void **state)
{
	static const struct {
		const char *tokens, *name;
	} rows[] = {
		{ "Prod-A_1", "Prod-A_1" },
		{ "=5F", "_" },
		{ "DC=200=3E=2A", "DC 0>*" },
		{ "M=C3=BCnchen", "M\xc3\xbcnchen" },
		{ "esx.problem=2Ex", "esx.problem.x" },
		{ "=3D", "=" },
		/* not written by subject_add_token: they stay */
		{ "=", "=" },
		{ "=4", "=4" },
		{ "=4g", "=4g" },
		{ "=c3", "=c3" },
		{ "a~2DD603EC", "a~2DD603EC" },
		{ "_", "_" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *name = subject_decode(rows[i].tokens);

		assert_string_equal(name, rows[i].name);
		free(name);
	}
}

/*
 * Names that escape to more than a buffer holds. The hashes are FNV-1a of the whole name,
 * computed with python3: h = 0x811c9dc5 for c in name.encode(): h = (h ^ c) * 0x01000193 &
 * 0xffffffff
 */
static void
long_tokens(void **state)
{
	static const struct {
		const char *unit;
		size_t times;
		const char *want;
	} rows[] = {
		{ "\xf0\x9f\x98\x80", 80,
			"=F0=9F=98=80=F0=9F=98=80=F0=9F=98=80=F0=9F=98=80=F0=9F~6293E145" },
		{ "\xc3\xa9", 3000,
			"=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9~46AB9AE5" },
		{ "x", 100000,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~0DA3EE45" },
		{ ">", 22, "=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E~CB1D905D" },
		{ ">", 21, "=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E=3E" },
	};
	struct buf name, token, row;

	(void)state;
	buf_init(&name, 1 << 20);
	buf_init(&token, 72);
	buf_init(&row, 1024);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&name);
		buf_clear(&token);
		for (size_t k = 0; k < rows[i].times; k++)
			buf_add_str(&name, rows[i].unit);
		subject_add_token(&token, name.data, name.len);
		assert_true(buf_ok(&token));
		assert_string_equal(buf_str(&token), rows[i].want);
	}
	/*
	 * seven parts of an event id, each too long, behind names that are too long: still one
	 * subject
	 */
	subject_write(&row,
		&(struct subject_parts){ .vcenter = name.data,
			.datacenter = name.data,
			.cluster = name.data,
			.severity = "warning",
			.eventclass = "extendedevent",
			.name = "" });
	assert_true(buf_ok(&row));
	buf_free(&name);
	buf_free(&token);
	buf_free(&row);
}

static void
attributes(void **state)
{
	struct buf name, out;

	(void)state;
	buf_init(&name, 10000);
	buf_init(&out, SUBJECT_ATTRIBUTE_MAX);
	for (size_t i = 0; i < SUBJECT_ATTRIBUTE_MAX; i++)
		buf_add_char(&name, 'n');
	assert_true(subject_add_attribute(&out, name.data));
	assert_string_equal(buf_str(&out), name.data);
	buf_clear(&out);
	buf_clear(&name);
	for (size_t i = 0; i < 3000; i++)
		buf_add_str(&name, "\xc3\xa9");
	assert_false(subject_add_attribute(&out, name.data));
	assert_int_equal(out.len, 1014 + 9); /* 507 whole characters */
	assert_memory_equal(out.data, name.data, 1014);
	assert_string_equal(out.data + 1014, "~46AB9AE5");
	buf_free(&name);
	buf_free(&out);
}

static void
subjects(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	subject_write(&b,
		&(struct subject_parts){ .vcenter = "lab",
			.datacenter = "Berlin",
			.cluster = "Prod-A",
			.severity = "info",
			.eventclass = "event",
			.name = "VmPoweredOnEvent" });
	assert_string_equal(buf_str(&b), "vc.lab.Berlin.Prod-A.info.event.VmPoweredOnEvent");
	subject_write(&b,
		&(struct subject_parts){ .prefix = "p",
			.vcenter = "a.b",
			.severity = "error",
			.eventclass = "eventex",
			.name = "com.vmware.vc.HA.X" });
	assert_string_equal(buf_str(&b), "p.a=2Eb._._.error.eventex.com.vmware.vc.HA.X");
	subject_write(&b,
		&(struct subject_parts){ .vcenter = "v",
			.severity = "info",
			.eventclass = "eventex",
			.name = "a..b.c.d.e.f.g.h" });
	assert_string_equal(buf_str(&b), "vc.v._._.info.eventex.a._.b.c.d.e.f=2Eg=2Eh");
	subject_write(&b,
		&(struct subject_parts){ .vcenter = "v",
			.severity = "info",
			.eventclass = "eventex",
			.name = "" });
	assert_string_equal(buf_str(&b), "vc.v._._.info.eventex._");
	subject_stream(&b, "vc 1");
	assert_string_equal(buf_str(&b), "VC_vc=201");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tokens),
		cmocka_unit_test(decoded_tokens), cmocka_unit_test(long_tokens),
		cmocka_unit_test(attributes), cmocka_unit_test(subjects) };

	return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}

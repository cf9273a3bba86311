// SPDX-License-Identifier: Apache-2.0
/* Which subjects with wildcards can match an event. The form is that of docs/events.md. */
#include "test.h"

#include <string.h>

#include "subject_pattern.h"

static void
patterns(void **state)
{
	static const struct {
		const char *pattern, *why; /* NULL: it can match */
	} rows[] = {
		{ ">", NULL },
		{ "vc.>", NULL },
		{ "*.lab.>", NULL },
		{ "vc.*.*.*.error.>", NULL },
		{ "vc.lab.Berlin.Prod-A.info.event.VmPoweredOnEvent", NULL },
		{ "vc.*.*.*.*.eventex.com.vmware.vc.HA.>", NULL },
		{ "vc.*.*.*.*.*.*", NULL },
		{ "vc.*.*.*.*.vcourier.EventGap", NULL },
		{ "vc.a=20b._.*.user.extendedevent.*.*.*.*.*.*.*", NULL },
		{ "vc.*.*.*.*.*.VmPowered*",
			"token 7 is \"VmPowered*\": in NATS a wildcard is a whole token" },
		{ "vc.*.*.*.*.*.*On", "a whole token" },
		{ "vc.*.*.*.*.*.a>", "a whole token" },
		{ "vc.>.x", "token 2 is \">\"" },
		{ "vc.l*.>", "token 2 is \"l*\"" },
		{ "vc.*.*.*.*.*", "6 tokens" },
		{ "vc.lab", "end it with >" },
		{ "vc.*.*.*.*.*.*.*.*.*.*.*.*.*", "14 tokens" },
		{ "vc.*.*.*.warn.>",
			"the severity, is \"warn\": none of info, warning, error, user" },
		{ "vc.*.*.*.*.VmEvent.>", "the class, is \"VmEvent\": none of event, eventex" },
		{ "other.>", "begin with vc" },
		{ "VmPoweredOnEvent", "begin with vc" },
		{ "vc.*.Berlin Mitte.>", "in a subject that is Berlin=20Mitte" },
		{ "vc..>", "token 2 is empty" },
		{ "", "token 1 is empty" },
		{ "vc.", "token 2 is empty" },
		{ "vc.\xc3\xa4.>", "in a subject that is =C3=A4" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = { .code = ERR_NONE };
		int failed = subject_pattern_check(rows[i].pattern, "vc", &err);

		assert_int_equal(failed, rows[i].why == NULL ? 0 : -1);
		if (!failed)
			continue;
		assert_int_equal(err.code, ERR_USAGE);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].pattern, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What a dispatcher replies to `vcourier status`. */
#include "test.h"

#include <string.h>

#include "buf.h"
#include "report.h"

/* Both expectations follow docs/operations.md; host and pid are of this machine. */
static void
write(void **state)
{
	static const struct {
		struct report_status status;
		const char *rest;
	} rows[] = {
		{ { .in_flight = 3, .in_memory = 20, .targets = 1 },
			"\"in_flight\":3,\"in_memory\":20,\"targets\":1,\"paused\":0,\"down\":false,"
			"\"held\":0,\"paused_ms\":0,\"dead_letters_fail\":false,\"refreshes\":[],\"state\":{\"ready\":false,\"checks\":{}}}" },
		{ { .in_memory = 7,
			  .targets = 5,
			  .paused_targets = 2,
			  .held = 4,
			  .down = true,
			  .paused_ms = 61000,
			  .target = "a \"b\"",
			  .target_status = 503,
			  .dead_letters_fail = true },
			"\"in_flight\":0,\"in_memory\":7,\"targets\":5,\"paused\":2,\"down\":true,"
			"\"held\":4,\"paused_ms\":61000,\"dead_letters_fail\":true,"
			"\"status\":503,\"target\":\"a \\\"b\\\"\",\"refreshes\":[],\"state\":{\"ready\":false,\"checks\":{}}}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		report_write(&rows[i].status, &out);
		assert_memory_equal(buf_str(&out), "{\"host\":\"", 9);
		assert_non_null(strstr(buf_str(&out), "\"in_flight\""));
		assert_string_equal(strstr(buf_str(&out), "\"in_flight\""), rows[i].rest);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

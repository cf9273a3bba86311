// SPDX-License-Identifier: Apache-2.0
/* What a collector replies to `vcourier status`. */
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "collect_report.h"
#include "status.h"

static cJSON *
written(const struct collect_report_state *state)
{
	const struct collect_report_config config = {
		.name = "lab", .kind = "vcenter", .address = "https://vc \"1\"/sdk"
	};
	struct buf out;
	cJSON *json;

	buf_init(&out, 16 * 1024);
	collect_report_write(&config, state, 61000, &out);
	json = cJSON_Parse(buf_str(&out));
	assert_non_null(json);
	buf_free(&out);
	return json;
}

static double
number(const cJSON *json, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);

	assert_true(cJSON_IsNumber(member));
	return member->valuedouble;
}

static const char *
text(const cJSON *json, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

/* The members are those of docs/operations.md. */
static void
a_leader(void **unused)
{
	struct collect_report_state state = { .caught_up_ms = 60000 };
	cJSON *json, *said;

	(void)unused;
	state.now.leader = true;
	state.now.source = (struct source_status){ .connected = true,
		.read = 12,
		.rejected = 1,
		.any = true,
		.newest = { .key = -7, .created_us = 1795325231440000 } };
	state.now.publisher.published = 11;
	state.now.publisher.in_flight = 2;
	status_check("vcenter", false, "it \"hangs\"");
	json = written(&state);
	assert_string_equal(text(json, "kind"), "vcenter");
	assert_string_equal(text(json, "address"), "https://vc \"1\"/sdk");
	assert_string_equal(text(json, "last_event"), "2026-11-22T05:27:11.44Z");
	assert_true(number(json, "last_key") == -7);
	assert_int_equal(number(json, "lag_ms"), 1000);
	assert_int_equal(number(json, "read"), 12);
	assert_int_equal(number(json, "published"), 11);
	assert_int_equal(number(json, "rejected"), 1);
	assert_int_equal(number(json, "in_flight"), 2);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "leader")));
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "connected")));
	said = cJSON_GetObjectItem(json, "state");
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(said, "ready")));
	assert_string_equal(
		text(cJSON_GetObjectItem(cJSON_GetObjectItem(said, "checks"), "vcenter"),
			"why"),
		"it \"hangs\"");
	cJSON_Delete(json);
}

static void
before_the_first_event(void **unused)
{
	struct collect_report_state state = { .caught_up_ms = 61000 };
	cJSON *json;

	(void)unused;
	json = written(&state);
	assert_null(cJSON_GetObjectItem(json, "last_event"));
	assert_null(cJSON_GetObjectItem(json, "last_key"));
	assert_int_equal(number(json, "lag_ms"), 0);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "leader")));
	cJSON_Delete(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leader),
		cmocka_unit_test(before_the_first_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

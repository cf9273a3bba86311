// SPDX-License-Identifier: Apache-2.0
/* CloudEvents in and out; expected values from the CloudEvents 1.0.2 specification and its JSON format. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"

static const char ours[] =
	"{\"specversion\":\"1.0\",\"id\":\"7-1\",\"source\":\"https://vc/sdk\",\"type\":\"com.vmware.event.router/event\","
	"\"subject\":\"VmPoweredOnEvent\",\"time\":\"2026-11-22T10:11:12Z\",\"datacontenttype\":\"application/json\","
	"\"eventclass\":\"event\",\"eventkey\":\"7\",\"data\":{\"Key\":7,\"x\":\"}}\"}}";

static void
our_layout(void **state)
{
	struct event ev;
	struct err err;
	struct buf out;

	(void)state;
	event_init(&ev);
	buf_init(&out, 10000);
	assert_int_equal(event_parse(&ev, ours, sizeof(ours) - 1, &err), 0);
	assert_string_equal(ev.id, "7-1");
	assert_string_equal(ev.subject, "VmPoweredOnEvent");
	assert_string_equal(event_extension(&ev, "eventkey"), "7");
	assert_string_equal(event_extension(&ev, "nosuch"), "");
	assert_int_equal(ev.data_len, strlen("{\"Key\":7,\"x\":\"}}\"}"));
	assert_memory_equal(ev.data, "{\"Key\":7,\"x\":\"}}\"}", ev.data_len);
	event_type(&ev, EVENT_TYPE_VSPHERE, &out);
	assert_string_equal(buf_str(&out), "com.vmware.vsphere.VmPoweredOnEvent.v0");
	buf_clear(&out);
	event_add_structured(&ev, NULL, &out);
	assert_string_equal(buf_str(&out), ours);
	buf_clear(&out);
	event_add_structured(&ev, "t", &out);
	assert_non_null(strstr(buf_str(&out), "\"type\":\"t\",\"subject\""));
	assert_int_equal(out.len, sizeof(ours) - 1 - strlen("com.vmware.event.router/event") + 1);
	event_free(&ev);
	buf_free(&out);
}

static void
any_legal_layout(void **state)
{
	static const char json[] = " {\"data\" : [1,{\"a\":2}], \"type\":\"t\\u00fc\" , \"x\":5,\"y\":true,\"z\":null,\n"
				   "\"source\":\"/s\",\"id\":\"\\\"1\\\"\",\"specversion\":\"1.0\"} ";
	struct event ev;
	struct err err;

	(void)state;
	event_init(&ev);
	assert_int_equal(event_parse(&ev, json, sizeof(json) - 1, &err), 0);
	assert_string_equal(ev.type, "t\xc3\xbc");
	assert_string_equal(ev.id, "\"1\"");
	assert_string_equal(event_extension(&ev, "x"), "5");
	assert_string_equal(event_extension(&ev, "y"), "true");
	assert_int_equal(ev.n_extensions, 2);
	assert_int_equal(ev.data_len, 11);
	assert_memory_equal(ev.data, "[1,{\"a\":2}]", 11);
	event_free(&ev);
}

static void
no_cloudevents(void **state)
{
	static const struct { const char *json, *why; } rows[] = {
		{ "", "no JSON object" },
		{ "[]", "no JSON object" },
		{ "hello", "no JSON object" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\"", "no JSON object" },
		{ "{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "specversion is missing" },
		{ "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "not 1.0" },
		{ "{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\"}", "id is missing" },
		{ "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}", "id is missing" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"Bad\":\"x\"}", "lower-case" },
		{ "{\"specversion\":\"1.0\",\"id\":{},\"source\":\"s\",\"type\":\"t\"}", "no scalar" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"id\":\"2\",\"source\":\"s\",\"type\":\"t\"}", "twice" },
		{ "{\"specversion\":\"1.0\",\"id\":\"a\\u0000b\",\"source\":\"s\",\"type\":\"t\"}", "NUL" },
		{ "{\"specversion\":\"1.0\",\"id\":\"\\ud800\",\"source\":\"s\",\"type\":\"t\"}", "bad string" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":1,\"data_base64\":\"AA==\"}", "data stands twice" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}}", "no JSON object" },
	};
	struct event ev;
	struct err err;

	(void)state;
	event_init(&ev);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(event_parse(&ev, rows[i].json, strlen(rows[i].json), &err), -1);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].json, err.text);
	}
	event_free(&ev);
}

static void
large_attributes_are_refused(void **state)
{
	struct event ev;
	struct err err;
	struct buf b;

	(void)state;
	event_init(&ev);
	buf_init(&b, 100000);
	buf_add_str(&b, "{\"specversion\":\"1.0\",\"id\":\"");
	for (int i = 0; i < EVENT_ATTRIBUTES_BYTES_MAX; i++)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "\",\"source\":\"s\",\"type\":\"t\"}");
	assert_int_equal(event_parse(&ev, b.data, b.len, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	/* and the view is good for the next event */
	assert_int_equal(event_parse(&ev, ours, sizeof(ours) - 1, &err), 0);
	event_free(&ev);
	buf_free(&b);
}

static void
built_by_hand(void **state)
{
	struct event ev;
	struct err err;
	struct buf out;

	(void)state;
	event_init(&ev);
	buf_init(&out, 10000);
	assert_int_equal(event_set(&ev, "specversion", "1.0", 3, &err), 0);
	assert_int_equal(event_set(&ev, "id", "1", 1, &err), 0);
	assert_int_equal(event_set(&ev, "source", "/s", 2, &err), 0);
	assert_int_equal(event_check(&ev, &err), -1);
	assert_int_equal(event_set(&ev, "type", "t", 1, &err), 0);
	assert_int_equal(event_set(&ev, "ext", "a\"b", 3, &err), 0);
	assert_int_equal(event_check(&ev, &err), 0);
	ev.data = "plain <text>";
	ev.data_len = 12;
	event_add_structured(&ev, NULL, &out);
	assert_string_equal(buf_str(&out), "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
					   "\"ext\":\"a\\\"b\",\"data\":\"plain \\u003ctext\\u003e\"}");
	event_free(&ev);
	buf_free(&out);
}

static void
header_values(void **state)
{
	/* the first is the HTTP binding's own example (3.1.3.2) */
	static const struct { const char *value, *header; } rows[] = {
		{ "Euro \xe2\x82\xac \xf0\x9f\x98\x80", "Euro%20%E2%82%AC%20%F0%9F%98%80" },
		{ "100%", "100%25" },
		{ "a\"b", "a%22b" },
		{ "\r\nX: y\x7f", "%0D%0AX:%20y%7F" },
		{ "", "" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&b);
		event_add_header_value(&b, rows[i].value);
		assert_string_equal(buf_str(&b), rows[i].header);
		buf_clear(&b);
		assert_true(event_decode_header_value(rows[i].header, &b));
		assert_string_equal(buf_str(&b), rows[i].value);
	}
	buf_clear(&b);
	assert_true(event_decode_header_value("\"a \\\"b%e2%82%ac\"", &b));
	assert_string_equal(buf_str(&b), "a \"b\xe2\x82\xac");
	buf_clear(&b);
	assert_false(event_decode_header_value("%C0%A0", &b));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_layout),
		cmocka_unit_test(any_legal_layout),
		cmocka_unit_test(no_cloudevents),
		cmocka_unit_test(large_attributes_are_refused),
		cmocka_unit_test(built_by_hand),
		cmocka_unit_test(header_values),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

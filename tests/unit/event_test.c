// SPDX-License-Identifier: Apache-2.0
/*
 * CloudEvents in and out; expected values from the CloudEvents 1.0.2 specification and its JSON
 * format.
 */
#include "test.h"

#include <stdio.h>
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
	assert_int_equal(
		out.len, sizeof(ours) - 1 - strlen("com.vmware.event.router/event") + 1);
	event_free(&ev);
	buf_free(&out);
}

static void
any_legal_layout(void **state)
{
	static const char json[] =
		" {\"data\" : [1,{\"a\":2}], \"type\":\"t\\u00fc\" , \"x\":5,\"y\":true,\"z\":null,\n"
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
	static const struct {
		const char *json, *why;
	} rows[] = {
		{ "", "not a JSON object" },
		{ "[]", "not a JSON object" },
		{ "hello", "not a JSON object" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\"", "not a JSON object" },
		{ "{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "specversion is missing" },
		{ "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}",
			"not 1.0" },
		{ "{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\"}",
			"id is missing" },
		{ "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}",
			"id is missing" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"Bad\":\"x\"}",
			"lower-case" },
		{ "{\"specversion\":\"1.0\",\"id\":{},\"source\":\"s\",\"type\":\"t\"}",
			"not a scalar" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"id\":\"2\",\"source\":\"s\",\"type\":\"t\"}",
			"twice" },
		{ "{\"specversion\":\"1.0\",\"id\":\"a\\u0000b\",\"source\":\"s\",\"type\":\"t\"}",
			"NUL" },
		{ "{\"specversion\":\"1.0\",\"id\":\"\\ud800\",\"source\":\"s\",\"type\":\"t\"}",
			"bad string" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":1,\"data_base64\":\"AA==\"}",
			"data is given twice" },
		{ "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}}",
			"not a JSON object" },
	};
	struct event ev;
	struct err err;

	(void)state;
	event_init(&ev);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			event_parse(&ev, rows[i].json, strlen(rows[i].json), &err), -1);
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
	assert_int_equal(event_set(&ev, "latin", "\xe4", 1, &err), -1);
	assert_string_equal(err.text, "attribute latin is not UTF-8 text");
	assert_int_equal(event_set(&ev, "ext", "a\"b", 3, &err), 0);
	assert_int_equal(event_check(&ev, &err), 0);
	ev.data = "plain <text>";
	ev.data_len = 12;
	event_add_structured(&ev, NULL, &out);
	assert_string_equal(buf_str(&out),
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"ext\":\"a\\\"b\",\"data\":\"plain \\u003ctext\\u003e\"}");
	event_free(&ev);
	buf_free(&out);
}

static void
header_values(void **state)
{
	/* the first is the HTTP binding's own example (3.1.3.2) */
	static const struct {
		const char *value, *header;
	} rows[] = {
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

/*
 * Binary mode in, structured out: sections 3.1 and 3.1.1 of the JSON format; base64 by python3.
 */
static void
data_keeps_its_shape(void **state)
{
	static const struct {
		const char *type, *data;
		size_t len;
		const char *want;
	} rows[] = {
		{ "application/json", "{\"a\":1}", 0, ",\"data\":{\"a\":1}" },
		{ "application/json; charset=utf-8", " [1.50, \"\xc3\xa9\"]\n", 0,
			",\"data\": [1.50, \"\xc3\xa9\"]\n" },
		{ "APPLICATION/JSON;charset=UTF-8", "20000000000000000001", 0,
			",\"data\":20000000000000000001" },
		{ "application/vnd.acme+json", "null", 0, ",\"data\":null" },
		{ "application/vnd.acme+JSON ; a=b", "\"text\"", 0, ",\"data\":\"text\"" },
		{ "text/json", "true", 0, ",\"data\":true" },
		{ "", "{\"a\":1}", 0, ",\"data\":{\"a\":1}" },
		{ "", "hello", 0, ",\"data\":\"hello\"" },
		{ "text/plain", "{\"a\":1}", 0, ",\"data\":\"{\\\"a\\\":1}\"" },
		{ "text/plain", "7", 0, ",\"data\":\"7\"" },
		{ "application/jsonx", "7", 0, ",\"data\":\"7\"" },
		{ "application/xml", "\xe2\x82\xac", 0, ",\"data\":\"\xe2\x82\xac\"" },
		{ "application/octet-stream", "\0\xff\x01", 3, ",\"data_base64\":\"AP8B\"" },
		{ "text/plain", "\xff", 1, ",\"data_base64\":\"/w==\"" },
		{ "application/json", "{\"a\":", 0, ",\"data_base64\":\"eyJhIjo=\"" },
		{ "application/json", "{} {}", 0, ",\"data_base64\":\"e30ge30=\"" },
		{ "application/json", "", 0, "" },
		{ "text/plain", "", 0, "" },
	};
	struct event ev, again;
	struct buf out, bytes;
	struct err err;

	(void)state;
	event_init(&ev);
	event_init(&again);
	buf_init(&out, 10000);
	buf_init(&bytes, 10000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = rows[i].len != 0 ? rows[i].len : strlen(rows[i].data), got;
		const char *end, *raw;

		event_clear(&ev);
		assert_int_equal(event_set(&ev, "specversion", "1.0", 3, &err), 0);
		assert_int_equal(event_set(&ev, "id", "1", 1, &err), 0);
		assert_int_equal(event_set(&ev, "source", "s", 1, &err), 0);
		assert_int_equal(event_set(&ev, "type", "t", 1, &err), 0);
		if (rows[i].type[0] != '\0')
			assert_int_equal(event_set(&ev, "datacontenttype", rows[i].type,
						 strlen(rows[i].type), &err),
				0);
		event_set_data(&ev, rows[i].data, len);
		for (int router = 0; router < 2; router++) {
			buf_clear(&out);
			(router ? event_add_structured_as_router : event_add_structured)(
				&ev, NULL, &out);
			end = buf_str(&out) + out.len - 1 - strlen(rows[i].want);
			if (out.len < strlen(rows[i].want) ||
				strncmp(end, rows[i].want, strlen(rows[i].want)) != 0)
				fail_msg("row %zu: %s", i, buf_str(&out));
			assert_true(rows[i].want[0] != '\0' ||
				(strstr(buf_str(&out), "\"data\":") == NULL &&
					strstr(buf_str(&out), "\"data_base64\":") == NULL));
		}
		/* and back: the same bytes */
		assert_int_equal(event_parse(&again, buf_str(&out), out.len, &err), 0);
		buf_clear(&bytes);
		assert_int_equal(event_raw_data(&again, &bytes, &raw, &got, &err), 0);
		/* blanks at the ends; JSON by default, which this was not */
		if (i != 1 && i != 7) {
			assert_int_equal(got, len);
			assert_memory_equal(raw, rows[i].data, len);
		}
	}
	event_free(&ev);
	event_free(&again);
	buf_free(&out);
	buf_free(&bytes);
}

/* What JSON allows and few writers do. */
static void
unusual_json(void **state)
{
	static const char json[] =
		"{\"\\u0073pecversion\":\"1.0\",\"\\u0069d\":\"7\",\"source\":\"s\",\"typ\\u0065\":\"t\",\"empty\":\"\",\"none\":null,"
		"\"datacontenttype\":\"application/octet-stream\",\"data\\u005fbase64\":\"\\/w=\\u003d\"}";
	struct event ev;
	struct buf out;
	struct err err;
	const char *bytes;
	size_t len;

	(void)state;
	event_init(&ev);
	buf_init(&out, 10000);
	assert_int_equal(event_parse(&ev, json, sizeof(json) - 1, &err), 0);
	assert_string_equal(ev.id, "7");
	assert_string_equal(ev.type, "t");
	assert_int_equal(ev.n_extensions, 1);
	assert_string_equal(ev.extension[0].name, "empty");
	assert_int_equal(event_raw_data(&ev, &out, &bytes, &len, &err), 0);
	assert_int_equal(len, 1);
	assert_memory_equal(bytes, "\xff", 1);
	buf_clear(&out);
	event_add_structured(&ev, "other", &out);
	assert_non_null(strstr(buf_str(&out), "\"typ\\u0065\":\"other\""));
	buf_clear(&out);
	event_add_structured_as_router(&ev, NULL, &out);
	assert_non_null(
		strstr(buf_str(&out), ",\"data_base64\":\"\\/w=\\u003d\",\"empty\":\"\"}"));
	event_free(&ev);
	buf_free(&out);
}

static void
names_that_are_none(void **state)
{
	static const char *const more[] = { "\"ext\":1,\"ext\":2", "\"a\\u0000b\":1",
		"\"\\ud800\":1", "\"dat\\u0061\":1,\"data\":2", "\"id\":\"8\"",
		"\"i\\u0064\":\"8\"", "\"data_base64\":\"\",\"data\":1" };
	struct event ev;
	struct err err;

	(void)state;
	event_init(&ev);
	for (size_t i = 0; i < COUNT(more); i++) {
		char json[256];
		int n = snprintf(json, sizeof(json),
			"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"s\",\"type\":\"t\",%s}",
			more[i]);

		if (event_parse(&ev, json, (size_t)n, &err) == 0)
			fail_msg("%s", json);
	}
	event_clear(&ev);
	assert_int_equal(event_set(&ev, "data", "x", 1, &err), -1); /* a header ce-data */
	event_free(&ev);
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
		cmocka_unit_test(data_keeps_its_shape),
		cmocka_unit_test(unusual_json),
		cmocka_unit_test(names_that_are_none),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

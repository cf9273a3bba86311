// SPDX-License-Identifier: Apache-2.0
/* Horizon: replies, and events as messages. */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "event.h"
#include "horizon_events.h"
#include "source_choice.h"

/* ---- replies */

static void
pages(void **state)
{
	static const struct {
		const char *body;
		int n; /* events; -1: refused */
		int damaged;
	} cases[] = {
		{ "[]", 0, 0 },
		{ " [ ] \n", 0, 0 },
		{ "[{\"id\":1}]", 1, 0 },
		{ "[{}, {} ,{}]", 3, 0 },
		{ "[1,null,\"{}\",[{}],{}]", 1, 4 },
		{ "", -1, 0 },
		{ "{}", -1, 0 },
		{ "null", -1, 0 },
		{ "<html>", -1, 0 },
		{ "[", -1, 0 },
		{ "[{}", -1, 0 },
		{ "[{},]", -1, 0 },
		{ "[,{}]", -1, 0 },
		{ "[{} {}]", -1, 0 },
		{ "[{\"id\":1]", -1, 0 },
		{ "[{\"id\":01}]", -1, 0 },
		{ "[] []", -1, 0 },
		{ "[]x", -1, 0 },
	};
	struct horizon_page page;
	struct err err;

	(void)state;
	horizon_page_init(&page);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *body = cases[i].body;
		int rc = horizon_page_parse(&page, body, strlen(body), &err);

		if ((rc == 0) != (cases[i].n >= 0))
			fail_msg("%s: %d", body, rc);
		if (rc != 0) {
			assert_int_equal(err.code, ERR_PROTOCOL);
			continue;
		}
		assert_int_equal(page.n, cases[i].n);
		assert_int_equal(page.damaged, cases[i].damaged);
	}
	horizon_page_free(&page);
}

static void
a_reply_has_a_bound(void **state)
{
	struct horizon_page page;
	struct buf body;
	struct err err;

	(void)state;
	horizon_page_init(&page);
	buf_init(&body, 4 * HORIZON_EVENTS_MAX);
	buf_add_str(&body, "[{}");
	for (int i = 1; i < HORIZON_EVENTS_MAX; i++)
		buf_add_str(&body, ",{}");
	buf_add_char(&body, ']');
	assert_int_equal(horizon_page_parse(&page, body.data, body.len, &err), 0);
	buf_truncate(&body, body.len - 1);
	buf_add_str(&body, ",1]");
	assert_int_equal(horizon_page_parse(&page, body.data, body.len, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_free(&body);
	horizon_page_free(&page);
}

/* What an event is known by, and the attributes that are made of it. */
static void
events(void **state)
{
	static const struct {
		const char *json, *id, *type, *time; /* time NULL: it has none */
		int64_t key;                         /* 0: a hash */
	} cases[] = {
		{ "{\"id\":9223372036854775807,\"time\":1764366000123,\"type\":\"VLSI_X\"}",
			"9223372036854775807", "horizon.vlsi_x.v0", "2025-11-28T21:40:00.123Z",
			INT64_MAX },
		{ "{\"type\":\"A\",\"time\":0,\"id\":9007199254740993}", "9007199254740993",
			"horizon.a.v0", "1970-01-01T00:00:00Z", INT64_C(9007199254740993) },
		{ "{\"id\":\"12\",\"time\":\"1000\"}", "12", "horizon.unknown.v0",
			"1970-01-01T00:00:01Z", 12 },
		{ "{\"id\":\"a/b\",\"time\":\"2026-01-02T03:04:05Z\",\"type\":null}", "a/b",
			"horizon.unknown.v0", "2026-01-02T03:04:05Z", 0 },
		{ "{\"id\":1.5,\"time\":1.5,\"type\":7}", "1.5", "horizon.7.v0", NULL, 0 },
		{ "{\"id\":5,\"time\":253402300800000}", "5", "horizon.unknown.v0", NULL, 5 },
		{ "{\"id\":5,\"time\":-62135596800000}", "5", "horizon.unknown.v0",
			"0001-01-01T00:00:00Z", 5 },
		{ "{\"id\":5,\"type\":\"\\u0000\\u001f\\\"\"}", "5", "horizon.__\".v0", NULL,
			5 },
	};
	const struct horizon_origin origin = { "pod", "https://h", 1000 };
	struct horizon_message m;
	struct horizon_page page;
	struct event ev;
	struct buf body;
	struct err err;

	(void)state;
	horizon_message_init(&m);
	horizon_page_init(&page);
	buf_init(&body, 4096);
	event_init(&ev);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct horizon_event *e;

		buf_clear(&body);
		buf_printf(&body, "[%s]", cases[i].json);
		assert_int_equal(horizon_page_parse(&page, body.data, body.len, &err), 0);
		e = &page.event[0];
		if (cases[i].key != 0)
			assert_true(e->key == cases[i].key);
		horizon_message_write(&m, &origin, e);
		assert_int_equal(event_parse_untrusted(&ev, m.data.data, m.data.len, &err), 0);
		assert_string_equal(ev.id, cases[i].id);
		assert_string_equal(ev.source, "https://h");
		assert_string_equal(
			ev.type + strlen("com.vmware.event.router/"), cases[i].type);
		assert_string_equal(ev.time, cases[i].time != NULL ? cases[i].time : "");
		assert_int_equal(ev.data_len, strlen(cases[i].json));
		assert_memory_equal(ev.data, cases[i].json, ev.data_len);
		event_clear(&ev);
	}
	event_free(&ev);
	buf_free(&body);
	horizon_message_free(&m);
	horizon_page_free(&page);
}

/* Sorted by time, then by id; replies have the newest first. */
static void
sorted(void **state)
{
	static const char body[] = "[{\"id\":3,\"time\":9},{\"id\":1,\"time\":9},{\"id\":-2,"
				   "\"time\":9},{\"id\":7,\"time\":-5}]";
	static const int64_t keys[] = { 7, -2, 1, 3 };
	struct horizon_page page;
	struct err err;

	(void)state;
	horizon_page_init(&page);
	assert_int_equal(horizon_page_parse(&page, body, sizeof(body) - 1, &err), 0);
	assert_int_equal(page.n, COUNT(keys));
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_true(page.event[i].key == keys[i]);
	horizon_page_free(&page);
}

/* VEBA 0.8's HorizonSource: com.vmware.horizon.<type in lower case>.v0. */
static void
both_dialects(void **state)
{
	static const char json[] =
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"com.vmware."
		"event.router/horizon.vlsi_userloggedin.v0\",\"subject\":\"VLSI_USERLOGGEDIN\"}";
	struct event ev;
	struct buf type;
	struct err err;

	(void)state;
	event_init(&ev);
	buf_init(&type, 1024);
	assert_int_equal(event_parse(&ev, json, sizeof(json) - 1, &err), 0);
	event_type(&ev, EVENT_TYPE_ROUTER, &type);
	assert_string_equal(
		buf_str(&type), "com.vmware.event.router/horizon.vlsi_userloggedin.v0");
	event_type(&ev, EVENT_TYPE_VSPHERE, &type);
	assert_string_equal(buf_str(&type), "com.vmware.horizon.vlsi_userloggedin.v0");
	event_type(&ev, EVENT_TYPE_VSPHERE_UNVERSIONED, &type);
	assert_string_equal(buf_str(&type), "com.vmware.horizon.vlsi_userloggedin.v0");
	buf_free(&type);
	event_free(&ev);
}

/* ---- options */

#define AUTH \
	"auth: {type: active_directory, activeDirectoryAuth: {domain: d, username: u, " \
	"password: p}}"
#define HORIZON "eventProvider: {type: horizon, name: a, horizon: {"

static const struct {
	const char *text, *reason; /* NULL: it is accepted */
} files[] = {
	{ HORIZON "address: 'https://h', " AUTH "}}\n", NULL },
	{ HORIZON "address: 'https://h/', insecureSSL: true, " AUTH "}}\n", NULL },
	{ HORIZON "address: h.example.com, " AUTH "}}\n", NULL },
	{ HORIZON AUTH "}}\n", "horizon: address is missing" },
	{ HORIZON "address: 'https://h/rest', " AUTH "}}\n", "must have no path" },
	{ HORIZON "address: 'ftp://h', " AUTH "}}\n", "must be a host name or a URL" },
	{ HORIZON "address: h}}\n", "auth is missing" },
	{ HORIZON "address: h, auth: {type: basic_auth}}}\n", "auth.type: must be" },
	{ HORIZON "address: h, auth: {activeDirectoryAuth: {username: u, password: p}}}}\n",
		"domain is missing" },
	{ HORIZON "address: h, auth: {activeDirectoryAuth: {domain: d, username: u@d, "
		  "password: p}}}}\n",
		"username: must be the name alone" },
	{ HORIZON "address: h, auth: {activeDirectoryAuth: {domain: d, username: 'd\\u', "
		  "password: p}}}}\n",
		"username: must be the name alone" },
	{ HORIZON "address: h, startFrom: soon, " AUTH "}}\n", "startFrom: must be now" },
	{ HORIZON "address: h, thumbprint: 'aa', " AUTH "}}\n", "must be the SHA-256" },
};

static void
options_are_checked(void **state)
{
	char path[] = "/tmp/horizon_test_XXXXXX";

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < COUNT(files); i++) {
		FILE *f = fopen(path, "w");
		struct source_choice choice = { .source = NULL };
		struct router_config config;
		struct config_errors errors;
		const char *reason = files[i].reason;

		assert_non_null(f);
		fprintf(f,
			"apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\n%s",
			files[i].text);
		fclose(f);
		config_errors_init(&errors);
		assert_int_equal(router_config_load(&config, path, &errors), 0);
		source_choice_bind(&config, &config.providers.entry[0], &choice, &errors);
		if (reason == NULL ? errors.n != 0
				   : strstr(buf_str(&errors.text), reason) == NULL)
			fail_msg("%s: %s", files[i].text, buf_str(&errors.text));
		source_choice_release(&choice);
		config_errors_free(&errors);
		router_config_free(&config);
	}
	remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages),
		cmocka_unit_test(a_reply_has_a_bound),
		cmocka_unit_test(events),
		cmocka_unit_test(sorted),
		cmocka_unit_test(both_dialects),
		cmocka_unit_test(options_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

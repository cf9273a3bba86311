// SPDX-License-Identifier: Apache-2.0
/* collector/envelope.h: events with names of any length and script. */
#include "test.h"

#include <string.h>

#include "envelope.h"
#include "event.h"
#include "subject.h"

enum { DATA_MAX = 1000 };

static const struct envelope_source source = { .vcenter = "lab",
	.prefix = "vc",
	.url = "https://vc.example.com/sdk",
	.api_version = "8.0.2.0",
	.uuid = "564d0d54-0000-4000-8000-000000000001" };

static const char *
repeat(struct buf *b, const char *unit, size_t times)
{
	buf_init(b, 1 << 20);
	while (times-- != 0)
		buf_add_str(b, unit);
	return buf_str(b);
}

static void
check_subject(const char *subject)
{
	size_t tokens = 1;

	assert_true(strlen(subject) < 1024);
	for (const char *p = subject; *p != '\0'; p += *p == '.') {
		size_t n = strcspn(p, ".");

		assert_true(n > 0 && n <= 64);
		p += n;
		tokens += *p == '.';
	}
	assert_true(tokens >= 7 && tokens <= 13);
}

static void
long_names(void **state)
{
	static const struct {
		const char *unit;
		/* how often: in datacenter and cluster; in the name of the event */
		size_t names, ids;
		bool trimmed;
	} rows[] = {
		{ "x", 64, 128, false },
		{ "\xf0\x9f\x98\x80", 80, 80, false },
		{ "\xf0\x9f\x98\x80", 80, 300, true },
		{ "\xc3\xa9", 3000, 3000, true },
		{ ".", 3000, 3000, true },
		{ "\"", 3000, 3000, true }, /* twice as long in JSON */
		{ "<", 3000, 3000, true },  /* six times */
		{ "\n", 3000, 3000, true },
		{ "y", 100000, 100000, true },
		{ "com.vmware.", 50, 50, false },
		{ "\xef\xbf\xbd", 1000, 1000, true },
		{ "\xd7\x90", 500, 500, false },
	};
	struct envelope e;
	struct event ev;
	struct err err;

	(void)state;
	envelope_init(&e, DATA_MAX);
	event_init(&ev);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf names, id;
		const struct normalize_event event = { .data = "{\"Key\":7}",
			.data_len = 9,
			.key = 7,
			.created_us = 1700000000000000,
			.created = "2023-11-14T22:13:20Z",
			.class_name = "EventEx",
			.name = repeat(&id, rows[i].unit, rows[i].ids),
			.kind = NORMALIZE_EVENTEX,
			.severity = "",
			.datacenter = repeat(&names, rows[i].unit, rows[i].names),
			.cluster = buf_str(&names) };

		assert_true(envelope_write(&e, &source, &event, "warning"));
		check_subject(buf_str(&e.subject));
		if (event_parse(&ev, e.message.data, e.message.len, &err) != 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(ev.id, "7-1700000000000");
		assert_true(strlen(ev.subject) <= SUBJECT_ATTRIBUTE_MAX);
		assert_int_equal(strcmp(ev.subject, event.name) != 0, rows[i].trimmed);
		assert_string_equal(
			event_extension(&ev, "trimmed"), rows[i].trimmed ? "true" : "");
		assert_int_equal(e.trimmed, rows[i].trimmed);
		assert_string_equal(buf_str(&e.msg_id),
			"564d0d54-0000-4000-8000-000000000001/7/1700000000000");
		buf_free(&names);
		buf_free(&id);
	}
	event_free(&ev);
	envelope_free(&e);
}

/* Names that differ behind the cut stay apart, in the subject and in the attribute. */
static void
cut_names_stay_apart(void **state)
{
	struct normalize_event event = { .data = "{}",
		.data_len = 2,
		.key = 7,
		.created = "2023-11-14T22:13:20Z",
		.class_name = "EventEx",
		.kind = NORMALIZE_EVENTEX,
		.severity = "",
		.datacenter = "",
		.cluster = "" };
	struct envelope one, two;
	struct buf a, b;

	(void)state;
	envelope_init(&one, DATA_MAX);
	envelope_init(&two, DATA_MAX);
	repeat(&a, "n", 5000);
	repeat(&b, "n", 5001);
	event.name = event.datacenter = event.cluster = buf_str(&a);
	assert_true(envelope_write(&one, &source, &event, "info"));
	event.name = event.datacenter = event.cluster = buf_str(&b);
	assert_true(envelope_write(&two, &source, &event, "info"));
	assert_string_not_equal(buf_str(&one.subject), buf_str(&two.subject));
	assert_string_not_equal(buf_str(&one.name), buf_str(&two.name));
	buf_free(&a);
	buf_free(&b);
	envelope_free(&one);
	envelope_free(&two);
}

static void
stubs_are_marked(void **state)
{
	const struct normalize_event event = { .data = "{}",
		.data_len = 2,
		.key = 7,
		.created = "2023-11-14T22:13:20Z",
		.class_name = "Event",
		.name = "Event",
		.kind = NORMALIZE_EVENT,
		.severity = "",
		.datacenter = "",
		.cluster = "",
		.trimmed = true,
		.stub = true };
	struct envelope e;
	struct event ev;
	struct err err;

	(void)state;
	envelope_init(&e, DATA_MAX);
	event_init(&ev);
	assert_true(envelope_write(&e, &source, &event, "info"));
	assert_int_equal(event_parse(&ev, e.message.data, e.message.len, &err), 0);
	assert_string_equal(event_extension(&ev, "trimmed"), "true");
	assert_string_equal(event_extension(&ev, "stub"), "true");
	assert_string_equal(event_extension(&ev, "eventkey"), "7");
	event_free(&ev);
	envelope_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_names),
		cmocka_unit_test(cut_names_stay_apart),
		cmocka_unit_test(stubs_are_marked),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}

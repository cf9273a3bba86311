// SPDX-License-Identifier: Apache-2.0
/* The options `vcenters` and `perVcenter` against the vCenters of a file. */
#define _GNU_SOURCE /* asprintf */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deployment.h"
#include "event_streams.h"
#include "files.h"

#define PROVIDER(name) \
	"  - {type: vcenter, name: " name ", vcenter: {address: vc, auth: {type: basic_auth, " \
	"basicAuth: {username: u, password: canary}}}}\n"
#define WEBHOOK(name) \
	"  - {type: webhook, name: " name ", webhook: {bindAddress: '127.0.0.1:0'}}\n"

static const char file_format[] = "eventProviders:\n" PROVIDER("vc1") PROVIDER("berlin-1")
	PROVIDER("berlin-2") WEBHOOK("hooks") WEBHOOK(
		"berlin-hooks") "eventProcessor: {type: knative, name: kn, %s, knative: {encoding: binary, "
				"destination: {uri: {scheme: http, host: b, path: /in}}}}\n";
static char path[64];

static int
load(struct deployment *d, const char *options, struct config_errors *errors)
{
	char *text;

	snprintf(path, sizeof(path), "/tmp/event_streams_test.%ld.yaml", (long)getpid());
	assert_true(asprintf(&text, file_format, options) > 0);
	write_file(path, text, strlen(text), 0600);
	free(text);
	config_errors_init(errors);
	return deployment_load(d, path, errors);
}

static void
what_no_table_says_is_checked(void **state)
{
	static const struct {
		const char *options, *error, *warning;
	} rows[] = {
		{ "vcenters: [other]",
			"eventProcessor.vcenters[0]: there is no eventProvider \"other\"", "" },
		{ "vcenters: [vc]", "(did you mean \"vc1\"?)", "" },
		{ "vcenters: ['x*']",
			"eventProcessor.vcenters: chooses no eventProvider of this file",
			"\"x*\" matches no vCenter" },
		{ "vcenters: []", "eventProcessor.vcenters: must be a list of at least one",
			"" },
		{ "vcenters: [vc1, 'x*']", "", "\"x*\" matches no vCenter" },
		{ "vcenters: [vc1, 'hook*']", "", "\"hook*\" matches no vCenter" },
		{ "vcenters: [hooks]", "", "" },
		{ "vcenters: vc1", "", "" },
		{ "perVcenter: [{filter: {}}]",
			"eventProcessor.perVcenter[0]: vcenters is missing", "" },
		{ "perVcenter: [{vcenters: [vc2]}]",
			"eventProcessor.perVcenter[0].vcenters[0]: there is no eventProvider",
			"" },
		{ "perVcenter: [{vcenters: [vc1], startFrom: never}]",
			"eventProcessor.perVcenter[0].startFrom: must be earliest, now or a "
			"time",
			"" },
		{ "perVcenter: [{vcenters: [vc1], filter: {subject: ''}}]",
			"eventProcessor.perVcenter[0].filter.subject: is no NATS subject", "" },
		{ "perVcenter: [{vcenters: [vc1], filter: {pattern: {source: x}}}]",
			"eventProcessor.perVcenter[0].filter.pattern: ", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config_errors errors;
		struct deployment d;
		int rc = load(&d, rows[i].options, &errors);

		if ((rc == 0) != (rows[i].error[0] == '\0') ||
			strstr(buf_str(&errors.text), rows[i].error) == NULL ||
			strstr(buf_str(&errors.warnings), rows[i].warning) == NULL)
			fail_msg("%s: got \"%s\", \"%s\"", rows[i].options,
				buf_str(&errors.text), buf_str(&errors.warnings));
		deployment_free(&d);
		config_errors_free(&errors);
	}
}

static void
the_first_block_that_names_a_vcenter_counts(void **state)
{
	struct config_errors errors;
	struct event_streams streams;
	struct deployment d;

	(void)state;
	assert_int_equal(load(&d,
				 "startFrom: earliest, filter: {subject: 'vc.*.a'}, vcenters: "
				 "['berlin-*'], perVcenter: [{vcenters: [berlin-2], startFrom: "
				 "now}, {vcenters: ['*'], filter: {subject: 'vc.*.b'}}]",
				 &errors),
		0);
	event_streams_init(&streams, &d.config, &d.dispatcher[0].common);
	assert_int_equal(streams.n, 2);
	assert_string_equal(streams.stream[0]->config.name, "VC_berlin-1");
	assert_string_equal(streams.stream[0]->config.subjects[0], "vc.berlin-1.>");
	assert_string_equal(streams.stream[0]->filter->subject, "vc.*.b");
	assert_string_equal(streams.stream[0]->start_from, "earliest");
	assert_string_equal(streams.stream[1]->config.name, "VC_berlin-2");
	assert_string_equal(streams.stream[1]->filter->subject, "vc.*.a");
	assert_string_equal(streams.stream[1]->start_from, "now");
	event_streams_free(&streams);
	deployment_free(&d);
	config_errors_free(&errors);
	unlink(path);
}

/* Checks that the dispatcher reads exactly these streams. The list ends in NULL. */
static void
assert_streams(const char *options, const char *const *names)
{
	struct config_errors errors;
	struct event_streams streams;
	struct deployment d;
	size_t n = 0;

	assert_int_equal(load(&d, options, &errors), 0);
	event_streams_init(&streams, &d.config, &d.dispatcher[0].common);
	for (; names[n] != NULL; n++) {
		assert_true(n < streams.n);
		assert_string_equal(streams.stream[n]->config.name, names[n]);
	}
	assert_int_equal(streams.n, n);
	event_streams_free(&streams);
	deployment_free(&d);
	config_errors_free(&errors);
	unlink(path);
}

static void
a_pattern_selects_no_webhook(void **state)
{
	(void)state;
	assert_streams("vcenters: ['*']",
		(const char *const[]){ "VC_vc1", "VC_berlin-1", "VC_berlin-2", NULL });
	assert_streams("vcenters: ['berlin-*', hooks]",
		(const char *const[]){ "VC_berlin-1", "VC_berlin-2", "CE_hooks", NULL });
	assert_streams(
		"vcenters: [berlin-hooks]", (const char *const[]){ "CE_berlin-hooks", NULL });
}

static void
a_block_for_a_pattern_is_not_for_webhooks(void **state)
{
	struct config_errors errors;
	struct event_streams streams;
	struct deployment d;

	(void)state;
	assert_int_equal(load(&d,
				 "perVcenter: [{vcenters: [hooks], startFrom: now}, "
				 "{vcenters: ['*'], filter: {subject: 'vc.*.b'}}]",
				 &errors),
		0);
	event_streams_init(&streams, &d.config, &d.dispatcher[0].common);
	assert_int_equal(streams.n, 5);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(streams.stream[i]->filter->subject, "vc.*.b");
	assert_string_equal(streams.stream[3]->config.name, "CE_hooks");
	assert_string_equal(streams.stream[3]->start_from, "now");
	assert_null(streams.stream[3]->filter->subject);
	assert_string_equal(streams.stream[4]->start_from, "earliest");
	assert_null(streams.stream[4]->filter->subject);
	event_streams_free(&streams);
	deployment_free(&d);
	config_errors_free(&errors);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_table_says_is_checked),
		cmocka_unit_test(the_first_block_that_names_a_vcenter_counts),
		cmocka_unit_test(a_pattern_selects_no_webhook),
		cmocka_unit_test(a_block_for_a_pattern_is_not_for_webhooks),
	};

	return cmocka_run_group_tests_name("event_streams", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Which source serves an eventProvider, and what the loop is told of its options. */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source_choice.h"

static struct router_entry *
load(struct router_config *config, const char *path, struct config_errors *errors)
{
	config_errors_init(errors);
	assert_int_equal(router_config_load(config, path, errors), 0);
	return &config->providers.entry[0];
}

static void
write_config(const char *path, const char *type, const char *overlap)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f,
		"apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\n"
		"eventProvider:\n  type: %s\n  name: a\n  %s:\n    address: https://vc1/sdk\n"
		"    overlap: %s\n    standby: true\n    auth: {type: basic_auth, basicAuth: "
		"{username: u, password: p}}\n"
		"eventProcessor: {type: knative, name: b, knative: {destination: {uri: {uri: "
		"'http://b'}}}}\n",
		type, type, overlap);
	fclose(f);
}

/* docs/configuration.md: both types read a vCenter. */
static void
the_type_chooses(void **state)
{
	static const char *const types[] = { "vcenter", "vcsim" };
	char path[] = "/tmp/source_choice_XXXXXX";
	struct source_choice choice = { .source = NULL };
	struct source_settings settings;
	struct router_config config;
	struct config_errors errors;

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct router_entry *entry;

		write_config(path, types[i], "7s");
		entry = load(&config, path, &errors);
		if (source_choice_bind(&config, entry, &choice, &errors) != 0)
			fail_msg("%s: %s", types[i], buf_str(&errors.text));
		assert_string_equal(choice.source->name, "vcenter");
		choice.source->settings(choice.options, &settings);
		assert_string_equal(settings.address, "https://vc1/sdk");
		assert_int_equal(settings.overlap_ms, 7000);
		assert_true(settings.lease);
		source_choice_release(&choice);
		source_choice_release(&choice); /* nothing is left */
		config_errors_free(&errors);
		router_config_free(&config);
	}
	remove(path);
}

static void
an_unknown_type_is_refused(void **state)
{
	static const char *const types[] = { "esxi", "VCENTER", "webhooks" };
	char path[] = "/tmp/source_choice_XXXXXX";
	struct source_choice choice = { .source = NULL };
	struct router_config config;
	struct config_errors errors;

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct router_entry *entry;

		write_config(path, types[i], "7s");
		entry = load(&config, path, &errors);
		assert_int_equal(source_choice_bind(&config, entry, &choice, &errors), -1);
		assert_non_null(strstr(buf_str(&errors.text), "eventProvider.type: "));
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
		cmocka_unit_test(the_type_chooses),
		cmocka_unit_test(an_unknown_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

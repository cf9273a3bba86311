// SPDX-License-Identifier: Apache-2.0
/* Every row of every option table, and what the tables cannot say of a whole file. */
#define _GNU_SOURCE /* asprintf, mkdtemp */
#include "test.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "deployment.h"
#include "mem.h"
#include "text.h"
#include "vcenter_options.h"

static char dir[] = "/tmp/options_test.XXXXXX";
static char file[64];

#define VCENTER_OF(d, i) ((const struct vcenter_options *)(d).source[i].options)

static void
write_config(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* ---- every row */

/* Whether "key: value" is taken by the row alone. */
static bool
takes(const struct config_field *row, const char *value)
{
	struct config_field table[2] = { *row, { NULL } };
	struct config_errors errors;
	struct config *config;
	void *place[64];
	char *text;
	int rc;

	table[0].offset = 0;
	assert_true(asprintf(&text, "%s: %s\n", row->key, value) > 0);
	write_config(text);
	free(text);
	config_errors_init(&errors);
	assert_int_equal(config_load(&config, file, &errors), 0);
	rc = config_bind(config_root(config), table, place, sizeof(place), &errors);
	config_release(table, place);
	config_free(config);
	config_errors_free(&errors);
	return rc == 0;
}

static bool
takes_number(const struct config_field *row, int64_t v)
{
	const char *unit = row->type == CONFIG_DURATION ? "ms"
		: row->type == CONFIG_SIZE              ? "B"
							: "";
	char value[32];

	snprintf(value, sizeof(value), "%" PRId64 "%s", v, unit);
	return takes(row, value);
}

static void
check_row(const struct config_field *row, const char *path)
{
	size_t i;

	if (row->help == NULL || row->help[0] == '\0' || !text_ends(row->help, "."))
		fail_msg("%s: help must be a sentence", path);
	for (i = 0; row->key[i] != '\0'; i++)
		assert_true(isalnum((unsigned char)row->key[i]));
	if (row->flags & CONFIG_IGNORED)
		return;
	if (row->type == CONFIG_INT || row->type == CONFIG_DURATION ||
		row->type == CONFIG_SIZE) {
		if (!takes_number(row, row->min) ||
			(row->max != 0 && !takes_number(row, row->max)) ||
			(row->min > 0 && takes_number(row, row->min - 1)) ||
			(row->max != 0 && takes_number(row, row->max + 1)) ||
			takes(row, "nonsense") || takes(row, "[1]"))
			fail_msg("%s: bounds do not hold", path);
	} else if (row->type == CONFIG_BOOL) {
		if (!takes(row, "true") || !takes(row, "false") || takes(row, "yes") ||
			takes(row, "1"))
			fail_msg("%s: true and false only", path);
	} else if (row->type == CONFIG_ENUM) {
		for (i = 0; row->choices[i] != NULL; i++)
			if (!takes(row, row->choices[i]))
				fail_msg("%s: refuses %s", path, row->choices[i]);
		if (takes(row, "nonsense"))
			fail_msg("%s: takes nonsense", path);
	} else if (row->type == CONFIG_STRING && takes(row, "[x]")) {
		fail_msg("%s: takes a list", path);
	} else if ((row->flags & CONFIG_URL) && takes(row, "ftp://x")) {
		fail_msg("%s: takes any URL", path);
	}
	if (row->def != NULL && *row->def != '\0' && row->type != CONFIG_STRING &&
		!takes(row, row->def))
		fail_msg("%s: refuses its own default", path);
}

static size_t
walk(const struct config_field *fields, const char *prefix)
{
	const struct config_field *row, *other;
	size_t n = 0;
	char *path;

	for (row = fields; row->key != NULL; row++, n++) {
		assert_true(asprintf(&path, "%s%s", prefix, row->key) > 0);
		for (other = fields; other != row; other++)
			if (strcmp(other->key, row->key) == 0)
				fail_msg("%s: twice in its table", path);
		check_row(row, path);
		free(path);
		assert_true(asprintf(&path, "%s%s.", prefix, row->key) > 0);
		if (row->fields != NULL)
			n += walk(row->fields, path);
		free(path);
	}
	return n;
}

static void
every_row_holds_its_bounds(void **state)
{
	(void)state;
	assert_true(walk(deployment_table(), "") > 100);
}

/* ---- whole files */

#define AUTH "auth: {type: basic_auth, basicAuth: {username: u, password: canary}}"
#define VCENTER "eventProvider: {type: vcenter, name: vc1, vcenter: {address: vc1, " AUTH "}}\n"
#define KNATIVE \
	"knative: {encoding: binary, destination: {uri: {scheme: http, host: b, path: /in}}}"

static const struct {
	const char *text, *want; /* want: part of the errors; NULL: is right */
} files[] = {
	{ VCENTER, NULL },
	{ "apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\n" VCENTER, NULL },
	{ "apiVersion: v1\n" VCENTER,
		":1:1: apiVersion: must be one of event-router.vmware.com/v1alpha1" },
	{ "kind: Secret\n" VCENTER, ":1:1: kind: must be one of RouterConfig" },
	{ "kind: RouterConfig\n", "no eventProvider" },
	{ "[]\n", "must be a mapping" },
	{ "text\n", "must be a mapping" },
	{ "eventProvider: [a]\n", "eventProvider: type is missing" },
	{ "eventProvider: {type: vcenter}\n", "eventProvider: name is missing" },
	{ "eventProvider: {type: vcenter, name: ''}\n", "eventProvider: name is missing" },
	{ "eventProvider: {type: vcenter, name: a}\n",
		"eventProvider: vcenter is missing: the block for this type" },
	{ "eventProvider: {type: vcenter, name: a, vcsim: {}}\n",
		"eventProvider: vcenter is missing" },
	{ "eventProvider: {type: esxi, name: a}\n",
		"eventProvider.type: must be one of vcenter, vcsim, webhook, horizon" },
	{ "eventProvider: {type: vcentre, name: a}\n", "did you mean \"vcenter\"" },
	{ "eventProvider: {type: vcsim, name: a, vcsim: {address: "
	  "'http://127.0.0.1:8989', " AUTH "}}\n",
		NULL },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1}}\n",
		"vcenter: auth is missing" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, auth: {type: "
	  "basic_auth}}}\n",
		"auth: basicAuth is missing" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, auth: {type: "
	  "aws_iam_role}}}\n",
		"auth.type: must be one of basic_auth" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {" AUTH "}}\n",
		"vcenter: address is missing" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: "
	  "'https://u:canary@vc1', " AUTH "}}\n",
		"address: must be a host name or a URL" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: 'ftp://vc1', " AUTH
	  "}}\n",
		"address: must be a host name or a URL" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, thumbprint: "
	  "'AA:BB', " AUTH "}}\n",
		"thumbprint: must be the SHA-256" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, startFrom: "
	  "yesterday, " AUTH "}}\n",
		"startFrom: must be now, earliest, a time" },
	{ "eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, pollMin: 2s, " AUTH
	  "}}\n",
		"pollMin must not exceed pollMax" },
	{ "certificates: {rootCAs: [/no/such]}\n" VCENTER,
		"certificates.rootCAs: /no/such: No such file" },
	{ "eventProviders: []\n", "eventProviders: must be a list of at least one" },
	{ "eventProviders: {a: b}\n", "eventProviders: must be a list of at least one" },
	{ VCENTER "eventProviders: [{type: vcenter, name: vc1, vcenter: {address: vc2, " AUTH
		  "}}]\n",
		"eventProviders[0].name: a name may be given only once" },
	{ VCENTER "eventProcessor: {type: knative, name: kn, " KNATIVE "}\n", NULL },
	{ VCENTER "eventProcessor: {type: openfaas, name: of, openfaas: }\n",
		"eventProcessor: openfaas is missing" },
	{ VCENTER "eventProcessor: {type: knative, name: kn}\n",
		"eventProcessor: knative is missing" },
	{ VCENTER "eventProcessor: {type: knativ, name: kn, " KNATIVE "}\n",
		"eventProcessor.type: unknown type (did you mean \"knative\"?)" },
	{ VCENTER "eventProcessor: {type: knative, name: kn, knative: {encoding: binary}}\n",
		"eventProcessor.knative" },
	{ VCENTER "eventProcessor: {type: knative, name: kn, retry: {initial: 10m, max: "
		  "1m}, " KNATIVE "}\n",
		"retry: initial must not be longer than max" },
	{ VCENTER "eventProcessor: {type: knative, name: kn, filter: {pattern: {source: "
		  "x}}, " KNATIVE "}\n",
		"eventProcessor.filter.pattern: " },
	{ VCENTER "bus: {urls: [http://x]}\n", "bus.urls: each must be nats://" },
	{ VCENTER "bus: {urls: ['nats://u:canary@x']}\n", "bus.urls: each must be nats://" },
	{ VCENTER "bus: {urls: []}\n", "bus.urls: must name at least one server" },
	{ VCENTER "bus: {password: canary}\n", "bus: a password needs a user" },
	{ VCENTER "bus: {user: u, password: canary, token: t}\n",
		"bus: user, token and credentialsFile exclude" },
	{ VCENTER "bus: {certFile: /x}\n", "bus: certFile and keyFile belong together" },
	{ VCENTER "bus: {subjectPrefix: a.b}\n", "bus.subjectPrefix: must be letters" },
	{ VCENTER "bus: {subjectPrefix: vcdead}\n", "bus.subjectPrefix: must be letters" },
	{ VCENTER "bus: {stream: {maxAge: 5m}}\n",
		"bus.stream: duplicateWindow must not exceed maxAge" },
	{ VCENTER "metricsProvider: {default: {auth: {type: basic_auth}}}\n",
		"type basic_auth needs the block basicAuth" },
	{ VCENTER "metricsProvider: {default: {auth: {basicAuth: {username: u, password: "
		  "canary}}}}\n",
		"basicAuth needs type basic_auth" },
	{ VCENTER "metricsProvider: {type: default, name: m, default: {bindAddress: "
		  "'0.0.0.0:8082', auth: {type: "
		  "basic_auth, basicAuth: {username: u, password: canary}}}}\n",
		NULL },
};

static void
whole_files_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct config_errors errors;
		struct deployment d;
		int rc;

		config_errors_init(&errors);
		write_config(files[i].text);
		rc = deployment_load(&d, file, &errors);
		if (files[i].want == NULL
				? rc != 0
				: strstr(buf_str(&errors.text), files[i].want) == NULL)
			fail_msg("%s: want \"%s\", got \"%s\"", files[i].text, files[i].want,
				buf_str(&errors.text));
		assert_null(strstr(buf_str(&errors.text), "canary"));
		assert_null(strstr(buf_str(&errors.warnings), "canary"));
		deployment_free(&d);
		config_errors_free(&errors);
	}
}

/* ---- what comes out */

static const struct {
	const char *given, *url;
} addresses[] = {
	{ "vc1", "https://vc1/sdk" },
	{ "vc1:8443", "https://vc1:8443/sdk" },
	{ "https://vc1", "https://vc1/sdk" },
	{ "https://vc1/", "https://vc1/sdk" },
	{ "https://vc1/sdk", "https://vc1/sdk" },
	{ "http://127.0.0.1:8989/sdk", "http://127.0.0.1:8989/sdk" },
	{ "[::1]", "https://[::1]/sdk" },
	{ "vc1/proxy/sdk", "https://vc1/proxy/sdk" },
};

static void
addresses_are_completed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct config_errors errors;
		struct deployment d;
		char *text;

		assert_true(asprintf(&text,
				    "eventProvider: {type: vcenter, name: a, vcenter: "
				    "{address: '%s', " AUTH "}}\n",
				    addresses[i].given) > 0);
		write_config(text);
		free(text);
		config_errors_init(&errors);
		assert_int_equal(deployment_load(&d, file, &errors), 0);
		assert_string_equal(VCENTER_OF(d, 0)->address, addresses[i].url);
		deployment_free(&d);
		config_errors_free(&errors);
	}
}

static void
entries_are_picked_by_name(void **state)
{
	struct config_errors errors;
	struct deployment d;
	struct buf bind;
	struct err err;

	(void)state;
	write_config(
		"eventProvider: {type: vcenter, name: a, vcenter: {address: vc1, " AUTH "}}\n"
		"eventProviders: [{type: vcsim, name: b, vcsim: {address: vc2, startFrom: "
		"24h, " AUTH "}}]\n"
		"eventProcessor: {type: knative, name: c, " KNATIVE "}\n"
		"metricsProvider: {default: {bindAddress: '[::]:9000'}}\n");
	config_errors_init(&errors);
	assert_int_equal(deployment_load(&d, file, &errors), 0);
	assert_null(router_config_pick(&d.config.providers, NULL, &err));
	assert_string_equal(err.text, "the file has several, --name must pick one: a, b");
	assert_null(router_config_pick(&d.config.providers, "x", &err));
	assert_string_equal(err.text, "--name x is not in the file; there are: a, b");
	assert_ptr_equal(router_config_pick(&d.config.providers, "b", &err),
		&d.config.providers.entry[1]);
	assert_ptr_equal(router_config_pick(&d.config.processors, NULL, &err),
		&d.config.processors.entry[0]);
	buf_init(&bind, 100);
	router_config_metrics_bind(&d.config, &d.config.processors.entry[0], &bind);
	assert_string_equal(bind.data, "[::]:9002");
	assert_int_equal(VCENTER_OF(d, 1)->start.from, SOURCE_START_AGO);
	assert_int_equal(VCENTER_OF(d, 1)->start.value, 24 * 3600 * 1000);
	buf_free(&bind);
	deployment_free(&d);
	config_errors_free(&errors);
}

/* What `vcourier config` prints says the same when it is read back. */
static void
the_effective_configuration_is_stable(void **state)
{
	struct config_errors errors;
	struct deployment d;
	struct buf first, second;

	(void)state;
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	write_config(
		VCENTER "eventProcessor: {type: knative, name: c, filter: {pattern: {type: "
			"[{prefix: a}]}}, " KNATIVE
			"}\nmetadata: {labels: {a: b}, name: '${HOME} it''s \u00e9'}\n");
	for (int i = 0; i < 2; i++) {
		struct buf *out = i == 0 ? &first : &second;

		config_errors_init(&errors);
		if (deployment_load(&d, file, &errors) != 0)
			fail_msg("%s", buf_str(&errors.text));
		deployment_print(&d, out);
		assert_null(strstr(out->data, "canary"));
		deployment_free(&d);
		config_errors_free(&errors);
		write_config(buf_str(out));
	}
	assert_string_equal(first.data, second.data);
	buf_free(&first);
	buf_free(&second);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/router.yaml", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_holds_its_bounds),
		cmocka_unit_test(whole_files_are_checked),
		cmocka_unit_test(addresses_are_completed),
		cmocka_unit_test(entries_are_picked_by_name),
		cmocka_unit_test(the_effective_configuration_is_stable),
	};

	return cmocka_run_group_tests_name("options", tests, setup, teardown);
}

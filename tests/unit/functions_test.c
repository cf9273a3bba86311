// SPDX-License-Identifier: Apache-2.0
/* functions: filters, manifests and requests. */
#define _GNU_SOURCE /* mkstemp, mkdtemp */
#include "test.h"

#include "functions_lab.h"

#define EVENT \
	"{\"specversion\":\"1.0\",\"id\":\"7-1\",\"source\":\"https://vc/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\"," \
	"\"time\":\"2026-11-22T10:11:12.5Z\",\"datacontenttype\":\"application/json\"," \
	"\"eventclass\":\"event\",\"severity\":\"\",\"data\":{\"Key\":7}}"

/*
 * Expected: what Knative's filters do with an event of these attributes
 * (https://knative.dev/docs/eventing/features/new-trigger-filters/), its type in the dialect of
 * the filter.
 */
static void
filters(void **state)
{
	static const struct {
		const char *filter;
		bool match;
	} rows[] = {
		{ "filter: {}", true },
		{ "filter: {attributes: {}}", true },
		{ "filter: {attributes: {type: com.vmware.event.router/event}}", true },
		{ "filter: {attributes: {type: com.vmware.event.router/eventex}}", false },
		{ "filter: {attributes: {type: com.vmware.vsphere.VmPoweredOnEvent.v0}}",
			true },
		{ "filter: {attributes: {type: com.vmware.vsphere.VmPoweredOnEvent}}", true },
		{ "filter: {attributes: {type: com.vmware.vsphere.VmPoweredOffEvent.v0}}",
			false },
		{ "filter: {attributes: {subject: VmPoweredOnEvent, type: com.vmware.event.router/event}}",
			true },
		{ "filter: {attributes: {subject: vmpoweredonevent}}", false },
		{ "filter: {attributes: {source: 'https://vc/sdk', eventclass: event}}", true },
		/* an empty value: the event has the attribute */
		{ "filter: {attributes: {subject: ''}}", true },
		{ "filter: {attributes: {dataschema: ''}}", false },
		{ "filter: {attributes: {nosuch: ''}}", false },
		{ "filters: []", true },
		{ "filters: [{exact: {subject: VmPoweredOnEvent}}]", true },
		{ "filters: [{exact: {subject: VmPoweredOnEvent, eventclass: eventex}}]",
			false },
		{ "filters: [{prefix: {subject: VmPowered}}]", true },
		{ "filters: [{prefix: {type: com.vmware.vsphere.VmPowered}}]", true },
		{ "filters: [{prefix: {subject: Powered}}]", false },
		{ "filters: [{suffix: {type: VmPoweredOnEvent.v0}}]", true },
		{ "filters: [{suffix: {subject: OffEvent}}]", false },
		{ "filters: [{prefix: {subject: Vm}}, {suffix: {subject: OffEvent}}]", false },
		{ "filters: [{any: [{exact: {subject: X}}, {suffix: {subject: OnEvent}}]}]",
			true },
		{ "filters: [{any: [{exact: {subject: X}}, {exact: {subject: Y}}]}]", false },
		{ "filters: [{all: [{prefix: {subject: Vm}}, {not: {exact: {subject: X}}}]}]",
			true },
		{ "filters: [{not: {any: [{exact: {subject: X}}, {prefix: {subject: Vm}}]}}]",
			false },
		{ "filters: [{not: {all: [{exact: {subject: X}}, {prefix: {subject: Vm}}]}}]",
			true },
		{ "filters: [{not: {not: {prefix: {subject: Vm}}}}]", true },
		{ "filters: [{not: {exact: {nosuch: x}}}]", true },
		/* filters override filter */
		{ "filter: {attributes: {subject: X}}, filters: [{prefix: {subject: Vm}}]",
			true },
		{ "filter: {attributes: {subject: VmPoweredOnEvent}}, filters: [{prefix: {subject: X}}]",
			false },
	};
	struct functions_lab lab;
	char text[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lab_open(&lab, "");
		snprintf(text, sizeof(text), SERVICE("f") TRIGGER("f", "%s"), rows[i].filter);
		lab_write(&lab, "f.yaml", text);
		if (look(&lab) != REFRESH_DONE || lab.b.err.code != ERR_NONE)
			fail_msg("%s: %s", rows[i].filter, lab.b.err.text);
		if (strcmp(route_subject(&lab, "VmPoweredOnEvent"),
			    rows[i].match ? " f" : "") != 0)
			fail_msg("%s: must %smatch", rows[i].filter,
				rows[i].match ? "" : "not ");
		lab_close(&lab);
	}
}

/* A broken file is named with the place, and leaves out only its own function. */
static void
broken_files(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "a: [", "b.yaml:2:1: did not find expected node content" },
		{ "text", "b.yaml:1:1: must be a mapping" },
		{ "", "b.yaml: the file has no content" },
		{ "{{ .Values.x }}", "b.yaml:1:2: a key must be a word" },
		{ "url: http://h\nfliter: {subject: X}",
			"b.yaml:2:1: fliter: unknown key (did you mean \"filter\"?)" },
		{ "filter: {subject: X}", "url is missing" },
		{ "url: ftp://h", "must be a URL" },
		{ "url: http://h\n---\nurl: http://i", "a second document without kind" },
		{ "url: http://h\nname: a b", "a function's name has letters" },
		{ "url: http://h\nfilter: {Subject: X}",
			"\"Subject\" is no name of an attribute" },
		{ "url: http://h\nfilters: [{cesql: \"type = 'x'\"}]",
			"cesql is not supported" },
		{ "url: http://h\nfilters: [{}]", "an expression has one dialect" },
		{ "url: http://h\nfilters: [{exact: {type: x}, prefix: {type: y}}]",
			"filters[0]: an expression has one dialect" },
		{ "url: http://h\nfilters: [{exakt: {type: x}}]", "did you mean \"exact\"?" },
		{ "url: http://h\nfilters: [{all: {exact: {type: x}}}]",
			"a list of expressions is expected" },
		{ "url: http://h\nfilters: {exact: {type: x}}",
			"a list of expressions is expected" },
		{ "url: http://h\nfilters: [{any: [{not: [{exact: {type: x}}]}]}]",
			"any[0].not: must be a mapping" },
		{ "url: http://h\nname: good", "function good is in a.yaml already" },
		{ SERVICE("f") TRIGGER("g", ON_SUBJECT("X")),
			"no Service \"g\" is in this file" },
		{ SERVICE("f") TRIGGER("f", "fliter: {}"), "did you mean \"filter\"?" },
		{ SERVICE("f") TRIGGER("f", "filter: {subject: X}"),
			"spec.filter.subject: unknown key" },
		{ SERVICE("f") TRIGGER("f", "filter: {attributes: {subject: [X]}}"),
			"must be a single value" },
		{ FUNCTION("f", ON_SUBJECT("X")) "url: http://h\nfilter: {subject: Y}",
			"only url, typeStyle and encoding" },
		{ "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
		  "spec: {broker: other, subscriber: {uri: 'http://h'}}",
			"the broker is \"other\", not \"default\"" },
		{ "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
		  "spec: {broker: default, subscriber: {uri: '/x'}}",
			"neither a ref nor a uri" },
		{ "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
		  "spec: {broker: default, subscriber: {ref: {kind: Channel, name: c}}}",
			"no Service but \"Channel\"" },
		{ "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nspec: {}",
			"metadata.name is missing" },
		{ "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: f}\n"
		  "spec: {template: {spec: {containers: [{ports: [{containerPort: 70000}]}]}}}",
			"containerPort: must be a port" },
	};
	struct functions_lab lab;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lab_open(&lab, "");
		lab_write(
			&lab, "a.yaml", "{name: good, url: 'http://h/', filter: {subject: X}}");
		lab_write(&lab, "b.yaml", rows[i].text);
		assert_int_equal(look(&lab), REFRESH_DONE);
		if (strstr(lab.b.err.text, rows[i].why) == NULL ||
			strstr(lab.b.err.text, "left out: b.yaml") != lab.b.err.text)
			fail_msg("%s: %s, must say %s", rows[i].text, lab.b.err.text,
				rows[i].why);
		assert_string_equal(route_subject(&lab, "X"), " good");
		lab_close(&lab);
	}
}

/* Limits are checked before the work. */
static void
limits(void **state)
{
	struct functions_lab lab;
	struct buf text;

	(void)state;
	lab_open(&lab, "");
	buf_init(&text, 1 << 20);
	buf_add_str(&text, "url: http://h\nfilters: [");
	for (int i = 0; i < 300; i++)
		buf_printf(&text, "{exact: {a%d: x}},", i);
	buf_add_str(&text, "]\n");
	lab_write(&lab, "a.yaml", buf_str(&text));
	look(&lab);
	assert_non_null(strstr(lab.b.err.text, "more than 256 terms"));
	buf_clear(&text);
	for (int i = 0; i < 101; i++)
		buf_add_str(&text, TRIGGER("f", ON_SUBJECT("X")));
	lab_write(&lab, "a.yaml", buf_str(&text));
	look_twice(&lab);
	assert_non_null(strstr(lab.b.err.text, "more than 100 Triggers"));
	buf_free(&text);
	lab_close(&lab);
}

static void
requests(void **state)
{
#define HEADERS(type) \
	"ce-specversion: 1.0\nce-id: 7-1\nce-source: https://vc/sdk\nce-type: " type \
	"\nce-subject: VmPoweredOnEvent\nce-time: 2026-11-22T10:11:12.5Z\nce-eventclass: event\n" \
	"Content-Type: application/json\n"
	/* binary mode as in section 3.1 of the CloudEvents HTTP binding 1.0.2 */
	static const struct {
		const char *options, *file, *url, *headers, *body;
	} rows[] = {
		{ "", FUNCTION("f", ON_SUBJECT("VmPoweredOnEvent")), "http://f:8080/",
			HEADERS("com.vmware.event.router/event"), "{\"Key\":7}" },
		{ "",
			FUNCTION("f",
				"filter: {attributes: {type: com.vmware.vsphere.VmPoweredOnEvent.v0}}"),
			"http://f:8080/", HEADERS("com.vmware.vsphere.VmPoweredOnEvent.v0"),
			"{\"Key\":7}" },
		{ "",
			FUNCTION("f",
				"filter: {attributes: {type: com.vmware.vsphere.VmPoweredOnEvent}}"),
			"http://f:8080/", HEADERS("com.vmware.vsphere.VmPoweredOnEvent"),
			"{\"Key\":7}" },
		/* each Trigger has its own dialect */
		{ "",
			FUNCTION("f", ON_SUBJECT("Other")) TRIGGER(
				"f", "filters: [{prefix: {type: com.vmware.vsphere.}}]"),
			"http://f:8080/", HEADERS("com.vmware.vsphere.VmPoweredOnEvent.v0"),
			"{\"Key\":7}" },
		{ ", typeStyle: vsphere", FUNCTION("f", ON_SUBJECT("VmPoweredOnEvent")),
			"http://f:8080/", HEADERS("com.vmware.vsphere.VmPoweredOnEvent.v0"),
			"{\"Key\":7}" },
		{ ", typeStyle: vsphere", "{url: 'http://h/p?q=1', name: f, typeStyle: router}",
			"http://h/p?q=1", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		{ ", serviceURL: 'http://127.0.0.1:81/{name}/{port}'",
			"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: f}\n"
			"spec: {template: {spec: {containers: [{image: a}, {ports: [{containerPort: 9000}]}]}}}\n---\n" TRIGGER(
				"f", ON_SUBJECT("VmPoweredOnEvent")),
			"http://127.0.0.1:81/f/9000", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		{ "",
			FUNCTION("f",
				ON_SUBJECT(
					"VmPoweredOnEvent")) "url: http://127.0.0.1:31001/x\n",
			"http://127.0.0.1:31001/x", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		{ "",
			"apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: f}\n"
			"spec: {broker: default, subscriber: {uri: 'https://h/x'}}",
			"https://h/x", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		{ "",
			SERVICE("f") "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
				     "spec: {broker: default, subscriber: {ref: {kind: Service, name: f}, uri: /x}}",
			"http://f:8080/x", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		{ "",
			"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n"
			"- {apiVersion: eventing.knative.dev/v1, kind: Trigger, metadata: {name: f}, "
			"spec: {broker: default, subscriber: {ref: {kind: Service, name: f}}}, status: {a: b}}",
			"http://f:8080/", HEADERS("com.vmware.event.router/event"),
			"{\"Key\":7}" },
		/* text of a manifest is not replaced from the environment */
		{ "", "{url: 'http://h/', name: f, filter: {subject: \"${HOME}\"}}",
			"http://h/", HEADERS("com.vmware.event.router/event"), "{\"Key\":7}" },
	};
	struct event ev;

	(void)state;
	backend_event(&ev, EVENT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct functions_lab lab;

		lab_open(&lab, rows[i].options);
		lab_write(&lab, "f.yaml", rows[i].file);
		if (look(&lab) != REFRESH_DONE || lab.b.err.code != ERR_NONE)
			fail_msg("%s: %s", rows[i].file, lab.b.err.text);
		backend_encode(&lab.b, "f", &ev);
		assert_string_equal(buf_str(&lab.b.req->url), rows[i].url);
		assert_string_equal(buf_str(&lab.b.req->headers), rows[i].headers);
		assert_int_equal(lab.b.req->body_len, strlen(rows[i].body));
		assert_memory_equal(lab.b.req->body, rows[i].body, lab.b.req->body_len);
		lab_close(&lab);
	}
	event_free(&ev);
}

static void
structured_and_credentials(void **state)
{
	struct functions_lab lab;
	struct event ev;

	(void)state;
	backend_event(&ev, EVENT);
	lab_open(&lab,
		", auth: {type: basic_auth, basicAuth: {username: Aladdin, password: open sesame}}");
	lab_write(&lab, "f.yml", "{url: 'http://h/', encoding: structured}");
	assert_int_equal(backend_ask(&lab.b, "credentials", 0), REFRESH_NOTHING);
	assert_int_equal(look(&lab), REFRESH_DONE);
	backend_encode(&lab.b, "f", &ev);
	/* RFC 7617, section 2 */
	assert_string_equal(buf_str(&lab.b.req->headers),
		"Content-Type: application/cloudevents+json\n"
		"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n");
	assert_int_equal(lab.b.req->body_len, strlen(EVENT));
	assert_memory_equal(lab.b.req->body, EVENT, lab.b.req->body_len);
	event_free(&ev);
	lab_close(&lab);
}

static void
bad_options(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "{}", "directory is missing" },
		{ "{directory: /tmp, serviceURL: 'http://{host}/'}", "only {name} and {port}" },
		{ "{directory: /tmp, serviceURL: '{name}:80'}",
			"must give http:// or https://" },
		{ "{directory: /tmp, encoding: both}", "must be one of binary, structured" },
		{ "{directory: /tmp, typeStyle: tanzu}",
			"must be one of auto, router, vsphere" },
		{ "{directory: /tmp, certFile: /x}", "certFile and keyFile" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		backend_refuses(&processor_functions, rows[i].yaml, rows[i].why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(broken_files),
		cmocka_unit_test(limits),
		cmocka_unit_test(requests),
		cmocka_unit_test(structured_and_credentials),
		cmocka_unit_test(bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * knative: destination.ref looked up through the Kubernetes API, and tokens for its audience.
 * The answers have the shapes of a cluster with Knative Eventing 1.14.
 */
#define _GNU_SOURCE /* mkstemp, mkdtemp, setenv */
#include "test.h"

#include <sys/stat.h>

#include "backend.h"
#include "kube.h"

extern const struct processor processor_knative;

/*
 * {"alg":"RS256"} .
 * {"aud":["https://kubernetes.default.svc"],"sub":"system:serviceaccount:apps:vcourier"} . x
 */
#define SA_TOKEN                                                                                        \
	"eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiaHR0cHM6Ly9rdWJlcm5ldGVzLmRlZmF1bHQuc3ZjIl0sInN1YiI6InN5c3Rl" \
	"bTpzZXJ2aWNlYWNjb3VudDphcHBzOnZjb3VyaWVyIn0.eA"
#define RESOURCES                                                                                               \
	"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"eventing.knative.dev/v1\","     \
	"\"resources\":[{\"name\":\"brokers\",\"singularName\":\"broker\",\"namespaced\":true,"                 \
	"\"kind\":\"Broker\",\"verbs\":[\"get\",\"list\"]},{\"name\":\"brokers/status\",\"singularName\":\"\"," \
	"\"namespaced\":true,\"kind\":\"Broker\",\"verbs\":[\"get\"]},{\"name\":\"triggers\","                  \
	"\"namespaced\":true,\"kind\":\"Trigger\",\"verbs\":[\"get\"]}]}"
#define INGRESS "http://broker-ingress.knative-eventing.svc.cluster.local/fn/default"
#define BROKER(status)                                                                                        \
	"{\"apiVersion\":\"eventing.knative.dev/v1\",\"kind\":\"Broker\",\"metadata\":{\"name\":\"default\"," \
	"\"namespace\":\"fn\"},\"spec\":{},\"status\":{" status "}}"
#define ONE_ADDRESS BROKER("\"address\":{\"url\":\"" INGRESS "\"}")
#define REF(more)                                                                                                    \
	"{destination: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: fn}" more \
	"}}\n"

static char dir[] = "/tmp/knative_ref.XXXXXX";

static void
put(const char *name, const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* As in a pod, with the service account's files in `dir`. */
static void
open_in_cluster(struct backend *b, const char *yaml)
{
	/* of the whole; the one before it ends the destination */
	const char *end = strrchr(yaml, '}');
	struct buf text;

	put("token", SA_TOKEN "\n");
	put("namespace", "apps");
	put("ca.crt", "");
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
	end = memrchr(yaml, '}', (size_t)(end - yaml));
	assert_non_null(end);
	buf_init(&text, 10000);
	buf_add(&text, yaml, (size_t)(end - yaml));
	buf_printf(&text, ", kubernetes: {serviceAccountDir: %s}%s", dir, end);
	backend_open(b, &processor_knative, buf_str(&text));
	buf_free(&text);
}

static void
parse(struct event *ev)
{
	static const char json[] =
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}";
	struct err err;

	event_init(ev);
	assert_int_equal(event_parse(ev, json, sizeof(json) - 1, &err), 0);
}

/* The URL that the next event would be sent to. */
static const char *
url(struct backend *b)
{
	struct event ev;

	parse(&ev);
	backend_encode(b, "", &ev);
	event_free(&ev);
	return buf_str(&b->req->url);
}

static bool
has_header(struct backend *b, const char *line)
{
	return strstr(buf_str(&b->req->headers), line) != NULL;
}

static void
a_broker(void **state)
{
	struct backend b;
	struct outcome out;

	(void)state;
	open_in_cluster(&b, REF(""));
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(
		buf_str(&b.req->url), "https://[fd00::1]:6443/apis/eventing.knative.dev/v1");
	assert_true(has_header(&b, "Authorization: Bearer " SA_TOKEN "\n"));
	assert_true(b.req->peer->ca_only);
	assert_int_equal(backend_reply(&b, "destination", 0, 200, RESOURCES), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "destination", 1), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/apis/eventing.knative.dev/v1/namespaces/fn/brokers/default");
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_DONE);
	assert_string_equal(url(&b), INGRESS);
	assert_false(has_header(&b, "Authorization"));

	/* again, after a minute: the plural is known; the broker has moved */
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_non_null(strstr(buf_str(&b.req->url), "/brokers/default"));
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 BROKER("\"address\":{\"url\":\"http://new/\"}")),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://new/");

	/* looked up again when it cannot be reached, or says 404 */
	backend_judge(&b, "", 0, &out);
	assert_true(out.refresh);
	backend_judge(&b, "", 404, &out);
	assert_true(out.refresh);
	assert_int_equal(out.verdict, VERDICT_RETRY);
	backend_judge(&b, "", 503, &out);
	assert_false(out.refresh);
	backend_close(&b);
}

/* What the API may answer instead; the last good address stays. */
static void
failures(void **state)
{
	static const struct {
		int status;
		const char *body, *why;
	} rows[] = {
		{ 0, "Connection refused", "Kubernetes API: Connection refused" },
		{ 401, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Unauthorized\",\"code\":401}",
			"the Kubernetes API refuses our credentials (HTTP 401)" },
		{ 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"code\":403}",
			"not allowed to get brokers.eventing.knative.dev default in namespace fn" },
		{ 500, "",
			"get brokers.eventing.knative.dev default in namespace fn: HTTP 500" },
		{ 200, "<html>", "no JSON object" },
		{ 200, "[]", "no JSON object" },
		{ 200, "{}", "Broker default has no address yet" },
		{ 200,
			BROKER("\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"message\":\"The channel is not "
			       "ready\"}]"),
			"Broker default has no address yet: The channel is not ready" },
		{ 200, BROKER("\"address\":{}"), "has no address yet" },
		{ 200, BROKER("\"address\":{\"url\":7}"), "has no address yet" },
		{ 200, BROKER("\"address\":{\"url\":\"/x\"}"),
			"its address \"/x\" is no URL with a host" },
		{ 200, BROKER("\"address\":{\"url\":\"ftp://x\"}"), "is no URL with a host" },
		{ 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404}",
			"does not exist" },
	};
	struct backend b;

	(void)state;
	open_in_cluster(&b, REF(""));
	backend_ask(&b, "destination", 0);
	assert_int_equal(
		backend_reply(&b, "destination", 0, 404, "404 page not found"), REFRESH_FAILED);
	assert_string_equal(
		b.err.text, "the resources of eventing.knative.dev/v1 does not exist");
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"resources\":[{\"name\":\"x\"},7,null]}"),
		REFRESH_FAILED);
	assert_string_equal(
		b.err.text, "the cluster has no kind Broker in eventing.knative.dev/v1");
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"resources\":[{\"name\":\"..\",\"kind\":\"Broker\"}]}"),
		REFRESH_FAILED);
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200, RESOURCES), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_DONE);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(backend_ask(&b, "destination", 0), 0);
		assert_int_equal(
			backend_reply(&b, "destination", 0, rows[i].status, rows[i].body),
			REFRESH_FAILED);
		if (strstr(b.err.text, rows[i].why) == NULL)
			fail_msg("%s", b.err.text);
		assert_string_equal(url(&b), INGRESS);
	}
	/* after a 404 of the object its kind is looked up anew */
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(
		buf_str(&b.req->url), "https://[fd00::1]:6443/apis/eventing.knative.dev/v1");
	/* a token file caught half-written */
	put("token", "");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	assert_non_null(strstr(b.err.text, "service account"));
	put("token", "abc\ndef");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	assert_string_equal(url(&b), INGRESS);
	backend_close(&b);
}

/* Which of the object's addresses, and what the configuration adds to it. */
static void
addresses(void **state)
{
	static const struct {
		const char *more, *status, *url, *ca;
	} rows[] = {
		{ "",
			"\"address\":{\"url\":\"http://old\"},\"addresses\":[{\"name\":\"https\",\"url\":\"https://a/x\"},"
			"{\"name\":\"http\",\"url\":\"http://b/x\"}]",
			"https://a/x", NULL },
		{ "", "\"address\":{\"url\":\"http://old/x\"},\"addresses\":[]", "http://old/x",
			NULL },
		{ ", uri: /in", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/in", NULL },
		{ ", uri: {path: in}", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/in",
			NULL },
		{ ", uri: '?q=1'", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/b/c?q=1",
			NULL },
		{ "", "\"address\":{\"url\":\"https://a/\",\"CACerts\":\"PEM1\"}", "https://a/",
			"PEM1" },
		{ ", CACerts: PEM2",
			"\"address\":{\"url\":\"https://a/\",\"CACerts\":\"PEM1\"}",
			"https://a/", "PEM1\nPEM2" },
		{ ", CACerts: PEM2", "\"address\":{\"url\":\"https://a/\"}", "https://a/",
			"PEM2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		char yaml[512], body[1024];

		snprintf(yaml, sizeof(yaml), REF("%s"), rows[i].more);
		open_in_cluster(&b, yaml);
		backend_ask(&b, "destination", 0);
		backend_reply(&b, "destination", 0, 200, RESOURCES);
		backend_ask(&b, "destination", 1);
		snprintf(body, sizeof(body), BROKER("%s"), rows[i].status);
		if (backend_reply(&b, "destination", 1, 200, body) != REFRESH_DONE)
			fail_msg("%s", b.err.text);
		assert_string_equal(url(&b), rows[i].url);
		if (rows[i].ca == NULL)
			assert_null(b.req->peer->ca_pem);
		else
			assert_non_null(strstr(b.req->peer->ca_pem, rows[i].ca));
		backend_close(&b);
	}
}

static void
an_address_by_name(void **state)
{
	struct backend b;

	(void)state;
	open_in_cluster(&b,
		"{destination: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, "
		"namespace: fn, address: http}}}\n");
	backend_ask(&b, "destination", 0);
	backend_reply(&b, "destination", 0, 200, RESOURCES);
	backend_ask(&b, "destination", 1);
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_FAILED);
	assert_string_equal(b.err.text, "Broker default has no address named http yet");
	assert_int_equal(
		backend_reply(&b, "destination", 1, 200,
			BROKER("\"addresses\":[{\"name\":\"https\",\"url\":\"https://a/\"},"
			       "{\"name\":\"http\",\"url\":\"http://b/\"}]")),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://b/");
	backend_close(&b);
}

/* A Service of the core group has no status: it is there, or it is not. */
static void
a_core_service(void **state)
{
	struct backend b;

	(void)state;
	open_in_cluster(&b,
		"{destination: {ref: {apiVersion: v1, kind: Service, name: sink}, uri: /x}}\n");
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/api/v1/namespaces/apps/services/sink");
	assert_int_equal(backend_reply(&b, "destination", 0, 404, "{}"), REFRESH_FAILED);
	assert_string_equal(b.err.text, "services sink in namespace apps does not exist");
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"kind\":\"Service\",\"status\":{\"loadBalancer\":{}}}"),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://sink.apps.svc.cluster.local/x");
	backend_close(&b);
}

/* At 2026-11-22T10:00:00Z by the API server's clock, plus so many minutes. */
static enum refresh_result
broker_with_audience(struct backend *b, unsigned step, int minutes)
{
	static const char body[] = BROKER(
		"\"address\":{\"url\":\"https://a/\",\"audience\":\"eventing/fn/\\\"d\\\"\"}");
	struct http_response rsp = { .status = 200,
		.body = body,
		.body_len = sizeof(body) - 1,
		.headers = "",
		.retry_after_ms = -1,
		.date_us = (INT64_C(1795341600) + minutes * 60) * 1000000 };

	return b->p->refreshes[1].response(b->self, step, &rsp, &b->time, &b->err);
}

/* A TokenRequest's answer with a token of so many bytes. */
static const char *
token_of(int bytes)
{
	static char text[128 * 1024];

	snprintf(text, sizeof(text), "{\"status\":{\"token\":\"%0*d\"}}", bytes, 0);
	return text;
}

static void
a_token_for_the_audience(void **state)
{
	struct backend b;
	struct outcome out;

	(void)state;
	open_in_cluster(&b, REF(""));
	backend_ask(&b, "destination", 0);
	backend_reply(&b, "destination", 0, 200, RESOURCES);
	backend_ask(&b, "destination", 1);
	assert_int_equal(broker_with_audience(&b, 1, 0), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "destination", 2), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/api/v1/namespaces/apps/serviceaccounts/vcourier/token");
	assert_string_equal(b.req->method, "POST");
	assert_string_equal(b.req->body,
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"audiences\":"
		"[\"eventing/fn/\\\"d\\\"\"],\"expirationSeconds\":3600}}");
	assert_int_equal(backend_reply(&b, "destination", 2, 403, "{}"), REFRESH_FAILED);
	assert_non_null(strstr(b.err.text,
		"not allowed to create serviceaccounts/token vcourier in namespace apps"));
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 0), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201,
			"{\"kind\":\"TokenRequest\",\"spec\":{\"expirationSeconds\":3600},\"status\":{\"token\":"
			"\"first\",\"expirationTimestamp\":\"2026-11-22T11:00:00Z\"}}"),
		REFRESH_DONE);
	assert_string_equal(url(&b), "https://a/");
	assert_true(has_header(&b, "Authorization: Bearer first\n"));
	/* kept while it lasts, renewed five minutes before its end */
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 54), REFRESH_DONE);
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 56), REFRESH_MORE);
	/* and at once when it is refused */
	backend_judge(&b, "", 401, &out);
	assert_int_equal(out.verdict, VERDICT_RETRY);
	assert_true(out.refresh);
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 1), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, "{\"status\":{}}"), REFRESH_FAILED);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, token_of(100000)), REFRESH_FAILED);
	assert_non_null(
		strstr(b.err.text, "100000 bytes, more than the 16384 that fit a request"));
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, "{\"status\":{\"token\":\"second\"}}"),
		REFRESH_DONE);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer second\n"));
	backend_close(&b);
}

static void
a_projected_token(void **state)
{
	struct backend b;
	char yaml[300];

	(void)state;
	snprintf(yaml, sizeof(yaml),
		"{destination: {uri: 'https://b/', audience: a, oidc: {tokenFile: %s/projected}}}\n",
		dir);
	put("projected", "one\n");
	backend_open(&b, &processor_knative, yaml);
	assert_int_equal(backend_ask(&b, "destination", 0), 1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer one\n"));
	put("projected", "");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer one\n"));
	put("projected", "two\n");
	assert_int_equal(backend_ask(&b, "destination", 0), 1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer two\n"));
	assert_int_equal(b.p->refreshes[1].interval_ms(b.self), 60000);
	backend_close(&b);
}

static const char kubeconfig[] =
	"apiVersion: v1\nkind: Config\ncurrent-context: lab\npreferences: {}\n"
	"clusters:\n- name: c1\n  cluster:\n    server: https://k8s.lab:6443/\n    certificate-authority: ca.crt\n"
	"- name: c2\n  cluster:\n    server: https://other\n    insecure-skip-tls-verify: true\n"
	"contexts:\n- name: lab\n  context: {cluster: c1, user: u1, namespace: fn}\n"
	"- name: certs\n  context: {cluster: c2, user: u2}\n- name: exec\n  context: {cluster: c2, user: u3}\n"
	"- name: lost\n  context: {cluster: c9, user: u1}\n- name: torn\n  context: {cluster: c2, user: u4}\n"
	"users:\n- name: u1\n  user: {token: abc}\n"
	/* base64 of "-----BEGIN X-----\n" */
	"- name: u2\n  user:\n    client-certificate-data: LS0tLS1CRUdJTiBYLS0tLS0K\n    client-key: /k.pem\n"
	"- name: u3\n  user:\n    exec: {command: aws}\n"
	"- name: u4\n  user: {client-certificate-data: LS0tLS1C=}\n";

static void
kubeconfigs(void **state)
{
	struct kube kube = { .server = NULL };
	struct err err;
	char path[100], want[120];

	(void)state;
	put("config", kubeconfig);
	snprintf(path, sizeof(path), "%s/config", dir);
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), 0);
	assert_string_equal(kube.server, "https://k8s.lab:6443");
	assert_string_equal(kube.ns, "fn");
	assert_string_equal(kube.token, "abc");
	snprintf(want, sizeof(want), "%s/ca.crt", dir);
	assert_string_equal(kube.peer.ca_file, want);
	assert_true(kube.peer.ca_only);
	assert_int_equal(kube_load(&kube,
				 &(struct kube_options){
					 .kubeconfig = path, .context = (char *)"certs" },
				 &err),
		0);
	assert_null(kube.token);
	assert_null(kube.ns);
	assert_true(kube.peer.insecure);
	assert_string_equal(kube.peer.cert_pem, "-----BEGIN X-----\n");
	assert_string_equal(kube.peer.key_file, "/k.pem");
	static const struct {
		const char *context, *why;
	} bad[] = {
		{ "none", "no context named none" },
		{ "lost", "no cluster named c9" },
		{ "exec", "users with `exec` are not supported" },
		{ "torn", "is not the base64 of PEM" },
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct kube_options options = { .kubeconfig = path,
			.context = (char *)bad[i].context };

		assert_int_equal(kube_load(&kube, &options, &err), -1);
		assert_non_null(strstr(err.text, bad[i].why));
		assert_null(kube.server);
	}
	put("config", "clusters: [");
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), -1);
	put("config",
		"{clusters: 7, contexts: [7, {name: x, context: 7}], current-context: x}\n");
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), -1);
	kube_free(&kube);
}

static void
accounts(void **state)
{
	static const char *const others[] = { "", "abc", "a.b", "a.!!!.c", "a.e30.c" };
	char *account = kube_account(SA_TOKEN);

	(void)state;
	assert_string_equal(account, "apps/vcourier");
	free(account);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_null(kube_account(others[i]));
}

static void
bad_destinations(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "{encoding: binary}\n", "destination" },
		{ "{destination: {}}\n", "destination needs a ref or a uri" },
		{ "{destination: }\n", "destination" },
		{ REF(", uri: 'http://b/'"), "must be relative" },
		{ REF(", uri: {scheme: http, host: b}"), "must be relative" },
		{ "{destination: {uri: /in}}\n",
			"must be an http:// or https:// URL with a host" },
		{ "{destination: {ref: {kind: Broker, name: x}}}\n", "apiVersion" },
		{ "{destination: {ref: {apiVersion: v1, kind: Service}}}\n", "name" },
		{ "{destination: {ref: {apiVersion: a/b/c, kind: X, name: x}}}\n",
			"apiVersion must be" },
		{ "{destination: {ref: {apiVersion: /v1, kind: X, name: x}}}\n",
			"apiVersion must be" },
		{ "{destination: {uri: 'http://b', audience: a}, auth: {type: bearer, bearer: {token: t}}}\n",
			"cannot go with auth" },
		{ "{destination: {uri: 'http://b', audience: a, oidc: {serviceAccount: x}}}\n",
			"`namespace/name`" },
		{ "{destination: {uri: 'http://b'}, encoding: xml}\n", "encoding" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		struct buf why;

		buf_init(&why, 10000);
		assert_int_equal(backend_try(&b, &processor_knative, rows[i].yaml, &why), -1);
		if (strstr(buf_str(&why), rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].yaml, buf_str(&why));
		buf_free(&why);
		backend_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broker),
		cmocka_unit_test(failures),
		cmocka_unit_test(addresses),
		cmocka_unit_test(an_address_by_name),
		cmocka_unit_test(a_core_service),
		cmocka_unit_test(a_token_for_the_audience),
		cmocka_unit_test(a_projected_token),
		cmocka_unit_test(kubeconfigs),
		cmocka_unit_test(accounts),
		cmocka_unit_test(bad_destinations),
	};
	char command[100];
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 || failed;
}

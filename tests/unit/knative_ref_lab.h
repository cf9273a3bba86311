// SPDX-License-Identifier: Apache-2.0
/*
 * The Knative processor under test, as in a pod. The answers have the shapes of a cluster with
 * Knative Eventing 1.14.
 */
#ifndef VCOURIER_TEST_KNATIVE_REF_LAB_H
#define VCOURIER_TEST_KNATIVE_REF_LAB_H

#include "backend.h"
#include "files.h"

extern const struct processor processor_knative;

/*
 * {"alg":"RS256"} .
 * {"aud":["https://kubernetes.default.svc"],"sub":"system:serviceaccount:apps:vcourier"} . x
 */
#define SA_TOKEN \
	"eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiaHR0cHM6Ly9rdWJlcm5ldGVzLmRlZmF1bHQuc3ZjIl0sInN1YiI6InN5c3Rl" \
	"bTpzZXJ2aWNlYWNjb3VudDphcHBzOnZjb3VyaWVyIn0.eA"
#define RESOURCES \
	"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"eventing.knative.dev/v1\"," \
	"\"resources\":[{\"name\":\"brokers\",\"singularName\":\"broker\",\"namespaced\":true," \
	"\"kind\":\"Broker\",\"verbs\":[\"get\",\"list\"]},{\"name\":\"brokers/status\",\"singularName\":\"\"," \
	"\"namespaced\":true,\"kind\":\"Broker\",\"verbs\":[\"get\"]},{\"name\":\"triggers\"," \
	"\"namespaced\":true,\"kind\":\"Trigger\",\"verbs\":[\"get\"]}]}"
#define INGRESS "http://broker-ingress.knative-eventing.svc.cluster.local/fn/default"
#define BROKER(status) \
	"{\"apiVersion\":\"eventing.knative.dev/v1\",\"kind\":\"Broker\",\"metadata\":{\"name\":\"default\"," \
	"\"namespace\":\"fn\"},\"spec\":{},\"status\":{" status "}}"
#define ONE_ADDRESS BROKER("\"address\":{\"url\":\"" INGRESS "\"}")
#define REF(more) \
	"{destination: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: fn}" more \
	"}}\n"

static char dir[] = "/tmp/knative_ref.XXXXXX";

/* The group's setup and teardown. */
static inline int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static inline int
remove_dir(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static inline void
put(const char *name, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_file(path, text, strlen(text), 0600);
}

/* As in a pod, with the service account's files in `dir`. */
static inline void
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

/* The URL that the next event would be sent to. */
static inline const char *
url(struct backend *b)
{
	struct event ev;

	backend_event(&ev,
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}");
	backend_encode(b, "", &ev);
	event_free(&ev);
	return buf_str(&b->req->url);
}

static inline bool
has_header(struct backend *b, const char *line)
{
	return strstr(buf_str(&b->req->headers), line) != NULL;
}

#endif

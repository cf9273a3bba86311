// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a character whose bits choose what is configured, a text (the token of our own service
 * account, the content of a token file), then the replies (fuzz_response) of a Kubernetes API.
 * After whatever it answers the address is a URL with a host, or none, and a token is one word.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "addressable.h"
#include "fuzz.h"
#include "mem.h"
#include "text.h"

enum { STEPS_MAX = 10 };

enum {
	SERVICE = 1,
	AUDIENCE = 2,
	TOKEN_FILE = 4,
	CERTS = 8,
	NAMED = 16,
	URI = 32,
	NO_REF = 64
};

static const char *own_token;

int __wrap_kube_load(struct kube *kube, const struct kube_options *options, struct err *err);

/* In place of a kubeconfig or a pod's files. */
int
__wrap_kube_load(struct kube *kube, const struct kube_options *options, struct err *err)
{
	(void)options;
	(void)err;
	kube_free(kube);
	kube->server = mem_strdup("https://10.0.0.1");
	kube->ns = mem_strdup("fn");
	kube->account = kube_account(own_token);
	return 0;
}

static void
configure(struct destination *d, unsigned bits, const char *text)
{
	static char core[] = "v1", group[] = "eventing.knative.dev/v1", service[] = "Service",
		    broker[] = "Broker", name[] = "default", ns[] = "fn",
		    domain[] = "cluster.local", audience[] = "aud",
		    certs[] = "-----BEGIN CERTIFICATE-----", https[] = "https", path[] = "/x?y",
		    url[] = "http://sink.example.com/";

	*d = (struct destination){ .resolve_interval_ms = 30000,
		.kube.cluster_domain = domain };
	if (!(bits & NO_REF))
		d->ref = (struct destination_ref){ .name = name,
			.ns = ns,
			.api_version = bits & SERVICE ? core : group,
			.kind = bits & SERVICE ? service : broker,
			.address = bits & NAMED ? https : NULL };
	d->uri = bits & NO_REF ? url : bits & URI ? path : NULL;
	d->audience = bits & AUDIENCE ? audience : NULL;
	d->ca_certs = bits & CERTS ? certs : NULL;
	if (bits & TOKEN_FILE)
		d->oidc.token_file = (char *)(uintptr_t)fuzz_file(text, strlen(text));
}

static void
check(struct addressable *a)
{
	assert(a->now.url == NULL || text_starts(a->now.url, "http://") ||
		text_starts(a->now.url, "https://"));
	assert(a->token == NULL || (a->token[0] != '\0' && strpbrk(a->token, " \r\n") == NULL));
	assert(addressable_interval_ms(a) >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct destination destination;
	struct fuzz_parts parts;
	struct addressable a;

	if (size == 0)
		return 0;
	fuzz_parts_init(&parts, data + 1, size - 1);
	own_token = fuzz_part(&parts);
	configure(&destination, data[0], own_token);
	addressable_init(&a, &destination, NULL);
	for (unsigned step = 0, n = 0; fuzz_more(&parts) && n < STEPS_MAX; n++) {
		struct err err = { .code = ERR_NONE };
		struct http_response rsp;
		enum refresh_result result;
		enum refresh_step rc = addressable_request(&a, step, fuzz_request(), &err);

		fuzz_response(&parts, &rsp);
		assert(rc != REFRESH_ERROR || err.text[0] != '\0');
		if (rc == REFRESH_ERROR)
			break;
		result = rc == REFRESH_NOTHING
			? REFRESH_DONE
			: addressable_response(&a, step, &rsp, NULL, &err);
		assert(result != REFRESH_FAILED || err.text[0] != '\0');
		step = result == REFRESH_MORE ? step + 1 : 0;
		check(&a);
	}
	addressable_free(&a);
	fuzz_parts_free(&parts);
	return 0;
}

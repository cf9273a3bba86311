// SPDX-License-Identifier: Apache-2.0
/*
 * Input: answers of a Kubernetes API, a NUL byte between them. After whatever it says the
 * address is a URL with a host, or none.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "addressable.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char api[] = "eventing.knative.dev/v1", kind[] = "Broker", name[] = "default",
		    ns[] = "fn";
	static const struct destination destination = {
		.ref = { .api_version = api, .kind = kind, .name = name, .ns = ns }
	};
	char *text = malloc(size + 1), *p = text;
	struct addressable a;

	memcpy(text, data, size);
	text[size] = '\0';
	addressable_init(&a, &destination, NULL, false);
	a.asking = ASK_KIND;
	for (int step = 0; step < 4 && p <= text + size; step++) {
		struct http_response rsp = { .status = 200,
			.body = p,
			.body_len = strlen(p),
			.headers = "",
			.retry_after_ms = -1,
			.date_us = INT64_C(1795341600) * 1000000 };
		struct err err;

		/* whom the token before this says we are */
		if (a.asking == ASK_TOKEN && a.kube.account == NULL) {
			a.kube.account = kube_account(p);
			if (a.kube.account == NULL)
				break;
		} else if (addressable_response(&a, &rsp, &err) != REFRESH_MORE) {
			break;
		}
		p += strlen(p) + 1;
	}
	assert(a.now.url == NULL || text_starts(a.now.url, "http://") ||
		text_starts(a.now.url, "https://"));
	addressable_free(&a);
	free(text);
	return 0;
}

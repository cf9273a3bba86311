// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a base URL, a NUL byte, a reference. What comes of them is an http or https URL with a
 * host, and the same again when it is resolved once more.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http.h"
#include "text.h"

enum { URL_MAX = 16 * 1024 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *base, *reference;
	struct buf url, again, host;
	struct fuzz_parts parts;

	fuzz_parts_init(&parts, data, size);
	base = fuzz_part(&parts);
	reference = fuzz_part(&parts);
	buf_init(&url, URL_MAX);
	buf_init(&again, URL_MAX);
	buf_init(&host, URL_MAX);
	if (http_url_resolve(base, reference, &url)) {
		assert(text_starts(buf_str(&url), "http://") ||
			text_starts(buf_str(&url), "https://"));
		assert(http_url_host(buf_str(&url), &host) && host.len > 0);
		assert(http_url_resolve(buf_str(&url), "", &again));
		assert(strcmp(buf_str(&url), buf_str(&again)) == 0);
	}
	if (http_url_host(reference, &host)) {
		assert(strpbrk(buf_str(&host), "/@[]") == NULL);
		if (http_url_is_loopback(reference))
			assert(strncmp(buf_str(&host), "127.", 4) == 0 ||
				strchr(buf_str(&host), ':') != NULL ||
				strcasecmp(buf_str(&host), "localhost") == 0);
	} else
		assert(!http_url_is_loopback(reference));
	buf_free(&url);
	buf_free(&again);
	buf_free(&host);
	fuzz_parts_free(&parts);
	return 0;
}

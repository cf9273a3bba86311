// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* Ours are http and https with a host; anything else libcurl would parse too is none. */
static bool
take(CURLU *url, struct buf *out)
{
	char *scheme = NULL, *host = NULL, *whole = NULL;
	bool ok = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host != '\0' &&
		curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK;

	if (ok)
		buf_add_str(out, whole);
	curl_free(scheme);
	curl_free(host);
	curl_free(whole);
	return ok && buf_ok(out);
}

bool
http_url_is_loopback(const char *text)
{
	CURLU *url = curl_url();
	char *host = NULL;
	bool is = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		(strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
			(strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0'));

	curl_free(host);
	curl_url_cleanup(url);
	return is;
}

bool
http_url_resolve(const char *base, const char *reference, struct buf *out)
{
	CURLU *url = curl_url();
	bool ok;

	buf_clear(out);
	ok = url != NULL && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
		(*reference == '\0' ||
			curl_url_set(url, CURLUPART_URL, reference, 0) == CURLUE_OK) &&
		take(url, out);

	curl_url_cleanup(url);
	return ok;
}

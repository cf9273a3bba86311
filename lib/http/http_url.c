// SPDX-License-Identifier: Apache-2.0
#include "http_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* Only http and https URLs with a host are accepted; libcurl would parse others, too. */
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
http_url_host(const char *text, struct buf *out)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL;

	buf_clear(out);
	if (url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		buf_add_str(out, *host == '[' ? host + 1 : host);
	if (host != NULL && *host == '[' && out->len > 0)
		buf_truncate(out, out->len - 1);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(url);
	return out->len > 0 && buf_ok(out);
}

static const uint8_t ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool
http_url_ip(const char *host, uint8_t ip[16])
{
	memcpy(ip, ipv4_prefix, sizeof(ipv4_prefix));
	return inet_pton(AF_INET, host, ip + sizeof(ipv4_prefix)) == 1 ||
		inet_pton(AF_INET6, host, ip) == 1;
}

bool
http_url_ip_is_v4(const uint8_t ip[16])
{
	return memcmp(ip, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

bool
http_url_is_loopback(const char *text)
{
	static const uint8_t ipv6_loopback[16] = { [15] = 1 };
	struct buf host;
	uint8_t ip[16];
	bool is = false;

	buf_init(&host, HTTP_URL_MAX);
	if (http_url_host(text, &host))
		is = strcasecmp(buf_str(&host), "localhost") == 0 ||
			(http_url_ip(buf_str(&host), ip) &&
				(http_url_ip_is_v4(ip)
						? ip[12] == 127
						: memcmp(ip, ipv6_loopback, sizeof(ip)) == 0));
	buf_free(&host);
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

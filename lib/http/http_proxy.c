// SPDX-License-Identifier: Apache-2.0
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "no_proxy.h"

enum { ADDRESS_MAX = 1024 };

/*
 * Kinds of proxies by their schemes, with the default ports of Go's net/http (socks5: RFC
 * 1928).
 */
static const struct scheme {
	const char *name, *port;
	enum http_proxy_kind kind;
} schemes[] = {
	{ "http", "80", HTTP_PROXY_HTTP },
	{ "https", "443", HTTP_PROXY_HTTPS },
	{ "socks5", "1080", HTTP_PROXY_SOCKS5 },
	{ "socks5h", "1080", HTTP_PROXY_SOCKS5 },
};

/* ---- a proxy's URL */

void
http_proxy_free(struct http_proxy *proxy)
{
	free(proxy->url);
	free(proxy->address);
	mem_free_secret(proxy->user);
	mem_free_secret(proxy->password);
	*proxy = (struct http_proxy){ 0 };
}

/* Skips "scheme://"; NULL when the scheme is unknown. */
static const struct scheme *
take_scheme(const char **text)
{
	const char *end = strstr(*text, "://");

	if (end == NULL)
		return &schemes[0];
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i].name);

		if ((size_t)(end - *text) == len &&
			strncasecmp(*text, schemes[i].name, len) == 0) {
			*text = end + 3;
			return &schemes[i];
		}
	}
	return NULL;
}

/*
 * Percent-decodes text[0..len); NULL when the result is not text, or has characters that Go
 * refuses here.
 */
static char *
decode(const char *text, size_t len)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:~!$&'()*+,;=%@";
	char *copy, *plain, *out = NULL;
	int n = 0;

	if (strspn(text, allowed) < len)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		const char *hex = text + i + 1;

		if (text[i] == '%' &&
			(i + 2 >= len || strspn(hex, "0123456789abcdefABCDEF") < 2))
			return NULL;
	}
	copy = mem_strndup(text, len);
	plain = curl_easy_unescape(NULL, copy, (int)len, &n);
	if (plain != NULL && strlen(plain) == (size_t)n)
		out = mem_strdup(plain);
	if (plain != NULL)
		mem_wipe(plain, (size_t)n);
	curl_free(plain);
	mem_free_secret(copy);
	return out;
}

static bool
take_user(struct http_proxy *proxy, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);

	proxy->user = decode(text, colon != NULL ? (size_t)(colon - text) : len);
	if (colon != NULL)
		proxy->password = decode(colon + 1, len - (size_t)(colon + 1 - text));
	return proxy->user != NULL && (colon == NULL || proxy->password != NULL);
}

/* host[:port], read by libcurl's parser of URLs; the port is filled in. */
static bool
take_address(
	struct http_proxy *proxy, const struct scheme *scheme, const char *text, size_t len)
{
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL;
	struct buf b;
	bool ok;

	buf_init(&b, ADDRESS_MAX);
	buf_printf(&b, "http://%.*s", (int)(len < ADDRESS_MAX ? len : ADDRESS_MAX), text);
	ok = url != NULL && len > 0 && buf_ok(&b) &&
		curl_url_set(url, CURLUPART_URL, buf_str(&b), 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host != '\0';
	if (ok) {
		buf_clear(&b);
		if (curl_url_get(url, CURLUPART_PORT, &port, 0) != CURLUE_OK)
			port = NULL;
		buf_printf(&b, "%s://%s:%s", scheme->name, host,
			port != NULL ? port : scheme->port);
		ok = buf_ok(&b);
	}
	if (ok) {
		proxy->kind = scheme->kind;
		proxy->url = buf_take(&b, NULL);
		proxy->address = mem_strdup(strstr(proxy->url, "://") + 3);
	}
	buf_free(&b);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return ok;
}

int
http_proxy_parse(struct http_proxy *proxy, const char *text, struct err *err)
{
	const struct scheme *scheme = take_scheme(&text);
	size_t len = strcspn(text, "/?#");
	const char *at = NULL;

	*proxy = (struct http_proxy){ 0 };
	for (size_t i = 0; i < len; i++)
		at = text[i] == '@' ? text + i : at;
	if (scheme == NULL)
		return err_set(err, ERR_CONFIG,
			"a proxy's URL begins with http://, https:// or socks5://");
	if (at != NULL && !take_user(proxy, text, (size_t)(at - text))) {
		http_proxy_free(proxy);
		return err_set(err, ERR_CONFIG,
			"special characters in a proxy's user name or password must be "
			"percent-encoded");
	}
	if (at != NULL)
		len -= (size_t)(at + 1 - text);
	if (!take_address(proxy, scheme, at != NULL ? at + 1 : text, len)) {
		http_proxy_free(proxy);
		return err_set(err, ERR_CONFIG, "not a proxy's URL");
	}
	return 0;
}

/* ---- the environment */

static void
read_proxy(const char *upper, const char *lower, struct http_proxy *proxy, struct err *err)
{
	const char *name = upper, *value = getenv(upper);

	*proxy = (struct http_proxy){ 0 };
	err->code = ERR_NONE;
	if (value == NULL || *value == '\0') {
		name = lower;
		value = getenv(lower);
	}
	if (value != NULL && *value != '\0' && http_proxy_parse(proxy, value, err) != 0)
		err_wrap(err, "%s in the environment", name);
}

void
http_environment_read(struct http_environment *env)
{
	const char *no_proxy = getenv("NO_PROXY");

	read_proxy("HTTP_PROXY", "http_proxy", &env->http, &env->http_err);
	read_proxy("HTTPS_PROXY", "https_proxy", &env->https, &env->https_err);
	env->exceptions = no_proxy_parse(
		no_proxy != NULL && *no_proxy != '\0' ? no_proxy : getenv("no_proxy"));
}

void
http_environment_free(struct http_environment *env)
{
	http_proxy_free(&env->http);
	http_proxy_free(&env->https);
	no_proxy_free(env->exceptions);
	env->exceptions = NULL;
}

/* Whether a URL uses the proxy that is set for its scheme. */
static bool
needs_proxy(const struct http_environment *env, const char *text)
{
	CURLU *url = curl_url();
	char *port = NULL;
	struct buf host;
	bool needs;

	buf_init(&host, HTTP_URL_MAX);
	needs = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		http_url_host(text, &host) && !http_url_is_loopback(text) &&
		!no_proxy_match(env->exceptions, buf_str(&host), port);
	buf_free(&host);
	curl_free(port);
	curl_url_cleanup(url);
	return needs;
}

int
http_environment_proxy(const struct http_environment *env, const char *url,
	const struct http_proxy **proxy, struct err *err)
{
	bool tls = strncasecmp(url, "https:", 6) == 0;
	const struct http_proxy *set = tls ? &env->https : &env->http;
	const struct err *bad = tls ? &env->https_err : &env->http_err;

	*proxy = NULL;
	if ((set->url == NULL && bad->code == ERR_NONE) || !needs_proxy(env, url))
		return 0;
	if (bad->code != ERR_NONE)
		return err_set(err, bad->code, "%s", bad->text);
	*proxy = set;
	return 0;
}

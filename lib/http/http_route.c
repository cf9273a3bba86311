// SPDX-License-Identifier: Apache-2.0
/*
 * The connection to the peer: passes the chosen proxy to libcurl, and names the proxy in
 * errors.
 */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* The peer's own proxy, parsed; it is mostly the same as for the request before. */
static int
own_proxy(struct transfer *t, const char *text, struct err *err)
{
	if (t->own_proxy_text != NULL && strcmp(t->own_proxy_text, text) == 0)
		return 0;
	http_proxy_free(&t->own_proxy);
	mem_free_secret(t->own_proxy_text);
	t->own_proxy_text = NULL;
	if (http_proxy_parse(&t->own_proxy, text, err) != 0)
		return -1;
	t->own_proxy_text = mem_strdup(text);
	return 0;
}

/* The proxy from the environment; it does not change for a URL. */
static int
env_proxy(struct transfer *t, const char *url, struct err *err)
{
	const struct http_environment *env = &t->http->environment;

	if (t->env_proxy_url.len > 0 && strcmp(buf_str(&t->env_proxy_url), url) == 0)
		return 0;
	buf_clear(&t->env_proxy_url);
	if (http_environment_proxy(env, url, &t->env_proxy, err) != 0)
		return -1;
	buf_add_str(&t->env_proxy_url, url);
	return 0;
}

static void
trust_proxy(struct transfer *t, const struct http_peer *peer)
{
	const char *file = peer != NULL ? peer->proxy_ca_file : NULL,
		   *system_file = t->http->ca_file;
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, file != NULL ? file : system_file);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, t->http->ca_dir);
}

int
http_proxy_setup(struct transfer *t, struct err *err)
{
	static const long types[] = { CURLPROXY_HTTP, CURLPROXY_HTTPS,
		CURLPROXY_SOCKS5_HOSTNAME };
	const struct http_peer *peer = t->req.peer;
	CURL *easy = t->easy;

	t->proxy = NULL;
	if (peer == NULL || peer->proxy == NULL) {
		if (env_proxy(t, buf_str(&t->req.url), err) != 0)
			return -1;
		t->proxy = t->env_proxy;
	} else if (*peer->proxy != '\0') {
		if (own_proxy(t, peer->proxy, err) != 0)
			return -1;
		t->proxy = &t->own_proxy;
	}
	/* never unset: libcurl would then read the environment by its own rules */
	curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy != NULL ? t->proxy->address : "");
	if (t->proxy == NULL)
		return 0;
	curl_easy_setopt(easy, CURLOPT_PROXYTYPE, types[t->proxy->kind]);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* as for CURLOPT_PROXY */
	curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, t->proxy->user);
	curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, t->proxy->password);
	/* the proxy's headers are not part of the peer's reply */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (t->proxy->kind == HTTP_PROXY_HTTPS)
		trust_proxy(t, peer);
	return 0;
}

static long
connect_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status;
}

/*
 * The handshake with the peer follows the proxy's reply to CONNECT, always in the same
 * transfer.
 */
bool
http_proxy_handshake(const struct transfer *t)
{
	return t->proxy != NULL && t->proxy->kind == HTTP_PROXY_HTTPS && connect_status(t) == 0;
}

/*
 * Whether the connection to the proxy was established and, for https:// and SOCKS, the tunnel
 * to the peer.
 */
static bool
reached(const struct transfer *t)
{
	curl_off_t us = 0;

	if (connect_status(t) != 0)
		return true;
	/* without a tunnel: PRETRANSFER is reached when the request is about to be sent */
	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

void
http_proxy_explain(const struct transfer *t, struct err *why)
{
	long status = connect_status(t);

	if (t->proxy == NULL)
		return;
	if (status >= 300)
		err_set(why, ERR_CONNECT, "the proxy %s refused CONNECT: HTTP %ld%s",
			t->proxy->url, status,
			status == 407 ? " (it requires a user name and password)" : "");
	else if (!reached(t))
		err_wrap(why, "cannot reach proxy %s", t->proxy->url);
	else
		err_wrap(why, "through proxy %s", t->proxy->url);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Which proxy a request uses. vcourier chooses it, not libcurl: it reads the environment as
 * Go's net/http.ProxyFromEnvironment does, because deployments of the VMware Event Router (a Go
 * program) set it for Go. The differences to libcurl that matter: the upper-case names have
 * precedence and HTTP_PROXY is read, ALL_PROXY is not; the default port of an http:// proxy is
 * 80, not 1080; a socks5:// proxy resolves the names; NO_PROXY (no_proxy.h); no proxy for
 * localhost and loopback addresses. Go's rule for CGI programs (REQUEST_METHOD) is omitted,
 * because no vcourier program is a CGI handler.
 */
#ifndef VCOURIER_HTTP_PROXY_H
#define VCOURIER_HTTP_PROXY_H

#include "err.h"

enum http_proxy_kind { HTTP_PROXY_HTTP, HTTP_PROXY_HTTPS, HTTP_PROXY_SOCKS5 };

struct http_proxy {
	enum http_proxy_kind kind;
	/* scheme://host:port without user and password, so it may be shown; NULL: no proxy */
	char *url;
	char *address;         /* host:port */
	char *user, *password; /* NULL: none */
};

/*
 * [scheme://][user[:password]@]host[:port][/...]: http (the default), https, socks5 or socks5h;
 * user and password percent-encoded. Returns -1 with ERR_CONFIG, and an empty *proxy, for any
 * other text; the message does not quote it.
 */
int http_proxy_parse(struct http_proxy *proxy, const char *text, struct err *err);
void http_proxy_free(struct http_proxy *proxy); /* *proxy is empty afterwards */

/* The proxy settings of the environment. */
struct http_environment {
	struct http_proxy http, https; /* for http:// and https:// URLs */
	/* ERR_CONFIG: the variable is set to something that is not a proxy's URL */
	struct err http_err, https_err;
	struct no_proxy *exceptions;
};

/*
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY; each also in lower case, the upper-case name has
 * precedence.
 */
void http_environment_read(struct http_environment *env);
void http_environment_free(struct http_environment *env);

/*
 * The proxy for a URL; NULL: none, or not a URL. Valid until http_environment_free. Returns -1
 * with ERR_CONFIG, naming the variable, when the proxy that the URL needs cannot be parsed:
 * connecting without it could violate the operator's intent. (Go connects without it, or takes
 * the wrong part of it as the proxy's name.)
 */
int http_environment_proxy(const struct http_environment *env, const char *url,
	const struct http_proxy **proxy, struct err *err);

#endif

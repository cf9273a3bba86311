// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* strncasecmp */
#include "request_check.h"

#include <string.h>
#include <strings.h>

#include "text.h"

/* The length of the name in "name:port" or "[::1]:port"; 0: it has another form. */
static size_t
name_length(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port = host + len;

	if (len > strlen(host) || len == 0)
		return 0;
	if (*port == '\0')
		return len;
	if (*port != ':' || strlen(port) > 6 || port[1] == '\0' ||
		port[1 + strspn(port + 1, "0123456789")] != '\0')
		return 0;
	return len;
}

static bool
is_name(const char *host, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

bool
request_host_is_ours(const char *host, char *const *hosts)
{
	size_t len = host != NULL ? name_length(host) : 0;

	if (len == 0)
		return false;
	if (is_name(host, len, "localhost") || is_name(host, len, "127.0.0.1") ||
		is_name(host, len, "[::1]"))
		return true;
	for (size_t i = 0; hosts != NULL && hosts[i] != NULL; i++)
		if (is_name(host, len, hosts[i]))
			return true;
	return false;
}

bool
request_origin_is_ours(const char *origin, const char *host, bool https)
{
	const char *scheme = https ? "https://" : "http://";

	if (origin == NULL)
		return true;
	/* behind a proxy with TLS the page is https and this connection is not */
	if (!https && text_starts(origin, "https://"))
		scheme = "https://";
	return text_starts(origin, scheme) && strcasecmp(origin + strlen(scheme), host) == 0;
}

bool
request_cookie(const char *cookies, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name), len;

	if (cookies == NULL)
		return false;
	for (cookies += strspn(cookies, "; "); *cookies != '\0';
		cookies += len + strspn(cookies + len, "; ")) {
		len = strcspn(cookies, ";");

		if (len > name_len && strncmp(cookies, name, name_len) == 0 &&
			cookies[name_len] == '=') {
			if (len - name_len - 1 >= size)
				return false;
			memcpy(out, cookies + name_len + 1, len - name_len - 1);
			out[len - name_len - 1] = '\0';
			return true;
		}
	}
	return false;
}

bool
request_is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return type != NULL && strncasecmp(type, json, len) == 0 &&
		(type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

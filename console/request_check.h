// SPDX-License-Identifier: Apache-2.0
/*
 * What a request must be before the console looks at it, as pure functions: for whom it is
 * (Host), from which page it comes (Origin), which session it names (Cookie).
 */
#ifndef VCOURIER_REQUEST_CHECK_H
#define VCOURIER_REQUEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a Host header names this console: one of hosts (NULL-terminated, may be NULL) or a
 * loopback name, with any port. A page of another site that resolves to this address (DNS
 * rebinding) names another host.
 */
bool request_host_is_ours(const char *host, char *const *hosts);

/*
 * Whether an Origin header is that of the Host: "http://host" or "https://host". NULL, no
 * header, is true: not every browser sends it, and the session and its token are checked too.
 */
bool request_origin_is_ours(const char *origin, const char *host, bool https);

/* Copies the value of a cookie; false: there is none, or it does not fit. */
bool request_cookie(const char *cookies, const char *name, char *out, size_t size);

/* "application/json", with or without parameters. */
bool request_is_json(const char *content_type);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The variable NO_PROXY: hosts that are reached without a proxy, read as Go's
 * golang.org/x/net/http/httpproxy reads it, so that an environment written for a Go program
 * means the same here. libcurl's own reading differs: it knows neither "*.corp.example" nor
 * "host:port".
 *
 * A list, separated by commas; blanks around an entry and the case of letters do not matter:
 *     *                    every host
 *     corp.example         this host and all below it
 *     .corp.example        all hosts below it, but not itself; *.corp.example means the same
 *     10.1.2.3, fd00::1    this address
 *     10.0.0.0/8           the addresses of this network
 *     host:8443            any form but * and a network may name a port; IPv6: [fd00::1]:8443
 * Anything else is ignored. [fd00::1] without a port matches nothing, as in Go. A name that is
 * not ASCII is compared as it is written, without Go's conversion to punycode.
 */
#ifndef VCOURIER_NO_PROXY_H
#define VCOURIER_NO_PROXY_H

#include <stdbool.h>

struct no_proxy;

/* NULL text is an empty list. The result is the caller's, for no_proxy_free. */
struct no_proxy *no_proxy_parse(const char *text);
void no_proxy_free(struct no_proxy *list);

/*
 * Whether the list names this host. host: a name, or an address without brackets and zone;
 * port: decimal digits, never empty.
 */
bool no_proxy_match(const struct no_proxy *list, const char *host, const char *port);

#endif

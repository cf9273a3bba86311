// SPDX-License-Identifier: Apache-2.0
/* The options about a proxy that every peer over HTTP has. */
#ifndef VCOURIER_PROXY_OPTION_H
#define VCOURIER_PROXY_OPTION_H

#include "config.h"

/*
 * Fits config_field.custom, char *: a proxy's URL (http_proxy.h), its scheme filled in; or "".
 */
int proxy_option(const struct config_node *node, void *field, struct config_errors *errors);

/*
 * The two rows of a table: `proxy` and `caFile` are the char * members of the struct `config`.
 */
/* clang-format off */
#define PROXY_ROWS(config, proxy_member, ca_member) \
	{ "proxy", CONFIG_CUSTOM, offsetof(config, proxy_member), .custom = proxy_option, \
		.help = "Proxy for all requests to this peer: `http://`, `https://` or " \
			"`socks5://host:port`; `\"\"` for none. Default: what `HTTP_PROXY`, " \
			"`HTTPS_PROXY` and `NO_PROXY` in the environment say." }, \
	{ "proxyCaFile", CONFIG_STRING, offsetof(config, ca_member), CONFIG_FILE, \
		.help = "PEM file of authorities to trust, beside the system's, for an " \
			"`https://` proxy. The other TLS options are about the peer, never about " \
			"the proxy." }
/* clang-format on */

#endif

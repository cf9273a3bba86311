// SPDX-License-Identifier: Apache-2.0
/* The proxy options of every HTTP peer. */
#ifndef VCOURIER_PROXY_OPTION_H
#define VCOURIER_PROXY_OPTION_H

#include "config.h"

/* For config_field.custom, char *: a proxy's URL (http_proxy.h) with its scheme; or "". */
int proxy_option(const struct config_node *node, void *field, struct config_errors *errors);

/*
 * The two rows of a table: `proxy` and `caFile` are the char * members of the struct `config`.
 */
/* clang-format off */
#define PROXY_ROWS(config, proxy_member, ca_member) \
	{ "proxy", CONFIG_CUSTOM, offsetof(config, proxy_member), .custom = proxy_option, \
		.help = "Proxy for all requests to this peer: `http://`, `https://` or " \
			"`socks5://host:port`; `\"\"` for none. Default: what `HTTP_PROXY`, " \
			"`HTTPS_PROXY` and `NO_PROXY` in the environment." }, \
	{ "proxyCaFile", CONFIG_STRING, offsetof(config, ca_member), CONFIG_FILE, \
		.help = "PEM file of CA certificates, beside the system's, for an " \
			"`https://` proxy. The other TLS options apply to the peer, not to " \
			"the proxy." }
/* clang-format on */

#endif

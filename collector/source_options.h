// SPDX-License-Identifier: Apache-2.0
/* What the option tables of several sources have in common. */
#ifndef VCOURIER_SOURCE_OPTIONS_H
#define VCOURIER_SOURCE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "proxy_option.h"
#include "router_config.h"

/* For config_field.custom, char *: the SHA-256 of a certificate, in hex. */
int source_options_thumbprint(
	const struct config_node *node, void *field, struct config_errors *errors);

/*
 * The same for the address of a peer: a host name, or an http or https URL without a user, a
 * query or a fragment. https:// is added where it is missing.
 */
int source_options_address(
	const struct config_node *node, void *field, struct config_errors *errors);

/* startFrom: where to start when there is no stream to go on from. */
struct source_start {
	enum {
		SOURCE_START_NOW,
		SOURCE_START_EARLIEST,
		SOURCE_START_TIME,
		SOURCE_START_AGO
	} from;
	int64_t value; /* TIME: microseconds since 1970, AGO: milliseconds */
};

/* text: the option startFrom of the block; NULL: now. */
void source_options_start(const struct config_node *block, const char *text,
	struct source_start *start, struct config_errors *errors);

/* The time that it means when the source's clock shows now_us. INT64_MIN: the earliest. */
int64_t source_start_us(const struct source_start *start, int64_t now_us);

/* Whom a source trusts as its server, and the proxy on the way. */
struct source_server {
	bool insecure;
	char *ca_file, *thumbprint, *proxy, *proxy_ca_file;
	char *ca_pem; /* certificates.rootCAs, put together; NULL when there are none */
};

/* Rows of a table of options of the struct config, whose member is a struct source_server. */
/* clang-format off */
#define SOURCE_SERVER_INSECURE_ROW(config, member) \
	{ "insecureSSL", CONFIG_BOOL, offsetof(config, member.insecure), CONFIG_INSECURE, \
		.def = "false", \
		.help = "Do not verify the certificate. Better: `thumbprint` or `caFile`." }
#define SOURCE_SERVER_ROWS(config, member) \
	{ "caFile", CONFIG_STRING, offsetof(config, member.ca_file), CONFIG_FILE, \
		.help = "PEM file of certificate authorities that are trusted in addition to the " \
			"system's." }, \
	{ "thumbprint", CONFIG_CUSTOM, offsetof(config, member.thumbprint), \
		.custom = source_options_thumbprint, \
		.help = "SHA-256 of the certificate, in hex with or without colons. It replaces " \
			"all other checks of the certificate." }, \
	PROXY_ROWS(config, member.proxy, member.proxy_ca_file)
/* clang-format on */

/*
 * What the rows cannot: the root CAs, and that thumbprint and insecureSSL exclude each other.
 * A file that cannot be read is an error.
 */
void source_server_bind(const struct router_config *config, const struct config_node *block,
	struct source_server *server, struct config_errors *errors);
/* Frees what source_server_bind made; config_release frees the members of the rows. */
void source_server_release(struct source_server *server);
/* How to reach the server; borrows the strings. */
struct http_peer;
void source_server_peer(const struct source_server *server, struct http_peer *peer);

#endif

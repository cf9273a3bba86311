// SPDX-License-Identifier: Apache-2.0
/*
 * The options of every HTTP backend: CA certificates, client credentials, proxy. Their rows are
 * in the backend's own block, beside its other options.
 */
#ifndef VCOURIER_HTTP_OPTIONS_H
#define VCOURIER_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "http.h"
#include "processor.h"
#include "proxy_option.h"

enum http_auth_type { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_BEARER };

/* The event router's AuthMethod, and `bearer`. */
struct http_auth_options {
	int type; /* enum http_auth_type */
	struct http_basic {
		char *username;
		struct secret password;
	} basic;
	struct http_bearer {
		struct secret token;
	} bearer;
};

struct http_options {
	char *ca_file, *cert_file, *key_file, *proxy, *proxy_ca_file;
	bool insecure;
	struct http_auth_options auth;
};

extern const struct config_field http_auth_fields[];

/*
 * The rows for a table of options, without and with auth; `at` is the struct http_options
 * inside the struct `config`.
 */
/* clang-format off */
#define HTTP_PEER_ROWS(config, at) \
	{ "caFile", CONFIG_STRING, offsetof(config, at.ca_file), CONFIG_FILE, \
		.help = "PEM file of CA certificates to trust beside the system's." }, \
	{ "certFile", CONFIG_STRING, offsetof(config, at.cert_file), CONFIG_FILE, \
		.help = "PEM file of the client certificate, for servers that request one." }, \
	{ "keyFile", CONFIG_STRING, offsetof(config, at.key_file), CONFIG_FILE, \
		.help = "PEM file of the client certificate's private key." }, \
	PROXY_ROWS(config, at.proxy, at.proxy_ca_file), \
	{ "insecureSSL", CONFIG_BOOL, offsetof(config, at.insecure), CONFIG_INSECURE, .def = "false", \
		.help = "Do not verify the server's certificate." }

#define HTTP_OPTIONS_ROWS(config, at) \
	HTTP_PEER_ROWS(config, at), \
	{ "auth", CONFIG_OBJECT, offsetof(config, at.auth), .fields = http_auth_fields, \
		.help = "How to authenticate." }
/* clang-format on */

/*
 * Checks that a table cannot express: auth.type has its block, certFile and keyFile are both
 * set.
 */
int http_options_check(const struct http_options *options, struct err *err);

/* The peer for these options; borrows their strings. */
void http_options_peer(const struct http_options *options, struct http_peer *peer);

/*
 * The credentials in use. They are read by a refresh, not for each request: when the file is
 * missing or incomplete for a moment, the last valid password stays in use.
 */
struct http_auth {
	const struct http_auth_options *options;
	char *secret; /* password or token; NULL before the first load, or when there is none */
};

void http_auth_init(struct http_auth *auth, const struct http_auth_options *options);
void http_auth_free(struct http_auth *auth);
/* Reads the secret; on failure the last one stays in use. */
int http_auth_load(struct http_auth *auth, struct err *err);
void http_auth_add(const struct http_auth *auth, struct http_request *req);

/*
 * Whether a password or token can be sent in a header: not empty, no control characters, at
 * most 16 KiB. That leaves room for an event's attributes; real servers accept 8 to 16 KiB.
 * what: for the error message.
 */
enum { HTTP_CREDENTIAL_MAX = 16 * 1024 };
int http_credential_check(const char *secret, const char *what, struct err *err);

/*
 * For encode(), after credentials were added to a request that passed http_request_check
 * without them: if it fails now, the credentials are at fault, so the error is ERR_AUTH (see
 * processor.h).
 */
int http_auth_check(const struct http_request *req, struct err *err);

/*
 * A row of processor.refreshes that keeps the credentials up to date: `at` is the struct
 * http_auth inside the backend's struct `type`.
 */
/* clang-format 14 and 19 differ */
/* clang-format off */
#define HTTP_AUTH_REFRESH(type, at) \
	{ \
		"credentials", http_auth_interval_ms, true, http_auth_request, NULL, \
			offsetof(type, at) \
	}
/* clang-format on */
int64_t http_auth_interval_ms(void *auth); /* 0: the secret cannot change */
enum refresh_step http_auth_request(
	void *auth, unsigned step, struct http_request *req, struct err *err);

/* "Authorization: Bearer ..."; the token has no control characters. */
void http_auth_bearer(struct http_request *req, const char *token);

#endif

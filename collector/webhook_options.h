// SPDX-License-Identifier: Apache-2.0
/*
 * The options of a webhook event provider: the event router's block (bindAddress, path, auth
 * with basicAuth), and ours: TLS, several paths, bearer tokens, limits, `wrap`.
 */
#ifndef VCOURIER_WEBHOOK_OPTIONS_H
#define VCOURIER_WEBHOOK_OPTIONS_H

#include <stdint.h>

#include "config.h"
#include "router_config.h"
#include "source.h"

enum webhook_auth { WEBHOOK_AUTH_BASIC, WEBHOOK_AUTH_BEARER };

/* How plain JSON becomes an event: see webhook_wrap.h. All NULL: it is refused. */
struct webhook_wrap {
	char *source, *type, *subject, *id, *time;
};

struct webhook_path {
	char *path; /* "/webhook" */
	char *name; /* for metrics; the path without the slash when it is not given */
	int auth;   /* enum webhook_auth, when user or token is set; else everybody may send */
	char *user;
	struct secret password, token;
	int64_t max_bytes; /* of a request's body */
	char **allowed_types; /* of events, NULL-terminated, "*" at the end of one is any text; NULL: all */
	struct webhook_wrap wrap;
};

struct webhook_options {
	/* the path in the block itself; its path is NULL when only `paths` are served */
	struct webhook_path own;
	struct config_list paths; /* of struct webhook_path */
	char *bind, *cert_file, *key_file;
	int64_t timeout_ms, max_connections, in_flight;
};

extern const struct config_field webhook_fields[];

/* Fit struct source. */
int webhook_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors);
void webhook_options_release(void *options);
void webhook_options_settings(const void *options, struct source_settings *settings);

/* The paths that are served, from 0 on; NULL: there are no more. */
const struct webhook_path *webhook_options_path(
	const struct webhook_options *options, size_t i);

#endif

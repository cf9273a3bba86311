// SPDX-License-Identifier: Apache-2.0
/*
 * The options of a Horizon event provider: the event router's block (address, insecureSSL, auth
 * with activeDirectoryAuth), and ours.
 */
#ifndef VCOURIER_HORIZON_OPTIONS_H
#define VCOURIER_HORIZON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "router_config.h"
#include "source.h"
#include "source_options.h"

struct horizon_options {
	char *address; /* https://horizon.example.com, as in the file: the `source` of events */
	struct source_server server;
	int auth_type;
	char *domain, *user;
	struct secret password;

	char *start_from; /* as in the file */
	struct source_start start;

	int64_t timeout_ms, poll_ms, page_size, page_max_bytes;
	int64_t overlap_ms, audit_window_ms, audit_interval_ms, in_flight;
	bool standby;
};

extern const struct config_field horizon_fields[];

/* Fit struct source. */
int horizon_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors);
void horizon_options_release(void *options);
void horizon_options_settings(const void *options, struct source_settings *settings);

#endif

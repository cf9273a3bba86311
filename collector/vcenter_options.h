// SPDX-License-Identifier: Apache-2.0
/*
 * The options of a vCenter event provider: the event router's `vcenter` block, `vcsim` as its
 * alias, and ours.
 */
#ifndef VCOURIER_VCENTER_OPTIONS_H
#define VCOURIER_VCENTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "router_config.h"
#include "source_options.h"

struct vcenter_options {
	char *address; /* complete: https://vc1.example.com/sdk */
	struct source_server server;
	int auth_type;
	char *user;
	struct secret password;

	char *start_from; /* as in the file */
	struct source_start start;

	int64_t timeout_ms, poll_min_ms, poll_max_ms, page_size;
	int64_t overlap_ms, audit_window_ms, audit_interval_ms, empty_grace_ms;
	int64_t in_flight, page_max_bytes, event_max_bytes;
	bool standby;
};

extern const struct config_field vcenter_fields[];

/* Fit struct source. */
int vcenter_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors);
void vcenter_options_release(void *options);

/* Fits struct source; the string is that of the options. */
struct source_settings;
void vcenter_options_settings(const void *options, struct source_settings *settings);

/* How to reach the vCenter, with credentials and limits; borrows the options' strings. */
struct vim_options;
void vcenter_options_vim(const struct vcenter_options *options, struct vim_options *vim);

#endif

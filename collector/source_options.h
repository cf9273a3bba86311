// SPDX-License-Identifier: Apache-2.0
/* What the option tables of several sources have in common. */
#ifndef VCOURIER_SOURCE_OPTIONS_H
#define VCOURIER_SOURCE_OPTIONS_H

#include <stdint.h>

#include "config.h"
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

/*
 * certificates.rootCAs as one PEM text, to be freed by the caller; NULL: there are none. A file
 * that cannot be read is an error.
 */
char *source_options_cas(const struct router_config *config, struct config_errors *errors);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The `bus` block of the configuration file: NATS servers, client credentials, limits of the
 * streams.
 */
#ifndef VCOURIER_BUS_OPTIONS_H
#define VCOURIER_BUS_OPTIONS_H

#include <stdint.h>

#include "bus.h"
#include "config.h"

/*
 * What happens when a stream is full: the oldest events are dropped, or the collector stops
 * reading and vCenter keeps the events.
 */
enum when_full { WHEN_FULL_DROP_OLDEST, WHEN_FULL_PAUSE };

struct bus_placement {
	char *cluster, **tags; /* NULL: any */
};

/* nats-server 2.10 and later compress a stream on disk. */
enum bus_compression { BUS_COMPRESSION_NONE, BUS_COMPRESSION_S2 };

struct bus_stream_options {
	int64_t max_age_ms, max_bytes, replicas, duplicate_window_ms;
	int compression; /* enum bus_compression */
	struct bus_placement placement;
	/* enum when_full; not for dead letters, which never replace older ones */
	int when_full;
};

struct bus_config {
	char **urls;
	char *user;
	struct secret password, token;
	char *credentials_file, *ca_file, *cert_file, *key_file;
	bool insecure;
	char *subject_prefix, *api_prefix;
	struct bus_stream_options stream, dead_letters;
};

extern const struct config_field bus_fields[];

/* Checks that a table cannot express; errors have the position in the file. */
int bus_config_check(const struct config_node *node, const struct bus_config *config,
	struct config_errors *errors);

/*
 * Whether the password and the events go to another host without TLS. Loopback addresses and
 * "localhost" are this host.
 */
bool bus_config_is_cleartext(const struct bus_config *config);

/*
 * The connection of one program: component "collector", name the provider's or processor's; NULL
 * for a program that has none. Its inbox prefix is "_INBOX_<user>", without a user
 * "_INBOX_<component>-<token of name>", which is the name of its user in users.py; texts holds
 * both strings and outlives *out.
 */
void bus_config_options(const struct bus_config *config, const char *component,
	const char *name, struct buf *texts, struct bus_options *out);

#endif

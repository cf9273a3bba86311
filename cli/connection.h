// SPDX-License-Identifier: Apache-2.0
/*
 * How the CLI reaches NATS, and the names of what it should find there.
 *
 * The settings of a connection come from one place, the first of:
 *
 *   1. -c FILE, or --context NAME, a context of the `nats` CLI
 *   2. --server, or VCOURIER_SERVER: then nothing is read from files
 *   3. VCOURIER_CONTEXT
 *   4. /etc/vcourier/cli.yaml and /etc/vcourier/config.yaml (below)
 *   5. the context that `nats context select` has chosen
 *   6. nats://localhost:4222
 *
 * Single options replace single settings of it: --user, --password-file, --creds, --ca, --cert,
 * --key; without the option the variable of that name, VCOURIER_USER and so on. After -c or
 * --context no variable is read. Credentials are replaced as a whole, so a server never gets
 * those that were meant for another one.
 *
 * /etc/vcourier/cli.yaml has the operator's credentials for this host, in a block `bus`. What
 * its block does not have, and the names of sources and dispatchers, come from
 * /etc/vcourier/config.yaml, whose credentials are those of the daemons.
 */
#ifndef VCOURIER_CONNECTION_H
#define VCOURIER_CONNECTION_H

#include <stddef.h>

#include "bus_options.h"
#include "command.h"
#include "err.h"

#define CONNECTION_CLI_PATH "/etc/vcourier/cli.yaml"

/* The first member of the values of every command that connects. */
struct connection_flags {
	const char *config, *context, *server, *user, *password_file, *creds, *ca, *cert, *key;
};
extern const struct command_option connection_options[];
#define CONNECTION_TITLE "the connection to NATS"

/* The order above, for the manual page. */
#define CONNECTION_ORDER \
	"The settings come from the first of: -c FILE or --context; --server or VCOURIER_SERVER, " \
	"then nothing is read from files; VCOURIER_CONTEXT; " CONNECTION_CLI_PATH \
	" and /etc/vcourier/config.yaml; the context that `nats context select` has chosen; " \
	"nats://127.0.0.1:4222. The other options and variables replace single settings. After " \
	"-c or --context no variable is read."

struct connection_settings {
	struct bus_config bus;
	char *origin; /* for messages: "-c FILE", "the NATS context lab" */
	/*
	 * Names from the configuration file, NULL-terminated. NULL: there is no file, or it
	 * names none.
	 */
	char **vcenters, **sources, **dispatchers; /* sources: other than vCenters */
	bool discovers;                            /* a dispatcher has `discover: true` */
};

/*
 * EXIT_NOT_YET, or the exit status after an error message. Free it anyway.
 */
int connection_open(
	struct connection_settings *connection, const struct connection_flags *flags);
void connection_free(struct connection_settings *connection);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Where the parts of a function are on this machine:
 *
 *   DIRECTORY/NAME.yaml                     which events it gets, for the dispatcher
 *   /etc/containers/systemd/vcourier-function-NAME.container    podman's unit (quadlet)
 *   /etc/vcourier/secrets/function@NAME/    its environment and its login to a registry
 *   /etc/vcourier/secrets/functions/SECRET/KEY        Secrets that an administrator put there
 *
 * DIRECTORY is an option of the backend `functions` in the configuration. The unit has a prefix
 * that no unit of vcourier has, so a function may be called "nats".
 */
#ifndef VCOURIER_FUNCTION_SITE_H
#define VCOURIER_FUNCTION_SITE_H

#include <stdbool.h>

#include "command.h"
#include "err.h"
#include "function_manifest.h"
#include "function_set.h"

#define FUNCTION_UNIT_PREFIX "vcourier-function-"
#define FUNCTION_UNITS "/etc/containers/systemd"
#define FUNCTION_SECRETS "/etc/vcourier/secrets"

/*
 * Each function has a port of the loopback interface, below those that Linux gives to clients
 * (ip_local_port_range), and 65,536 user ids, of a range that systemd's UIDS-GIDS.md calls
 * unused.
 */
enum {
	FUNCTION_PORT_FIRST = 21000,
	FUNCTION_PORTS = 4000,
	FUNCTION_IDS = 65536,
	FUNCTION_IDS_FIRST = 0x70000000,
};

/* The options that all commands on functions share. */
struct function_flags {
	const char *config, *dispatcher, *root;
};
#define FUNCTION_OPTIONS(type) \
	{ "config", 'c', COMMAND_TEXT, offsetof(type, flags.config), "FILE", NULL, 0, \
		"the configuration; default /etc/vcourier/config.yaml" }, \
		{ "dispatcher", 'd', COMMAND_TEXT, offsetof(type, flags.dispatcher), "NAME", \
			NULL, 0, "the backend of type functions, if there are several" }, \
		FUNCTION_ROOT(type)
/* clang-format 14 and 19 differ */
/* clang-format off */
#define FUNCTION_ROOT(type) \
	{ \
		"root", 0, COMMAND_TEXT, offsetof(type, flags.root), "DIR", NULL, \
			COMMAND_RARE, "all paths are below DIR; for tests" \
	}
/* clang-format on */

struct function_site {
	const char *root; /* before every path; "" */
	char *directory, *broker;
	struct function_set set; /* what the directory has */
	int lock;                /* -1: none */
};

/* EXIT_NOT_YET, or the exit status after an error message. Close the site in both cases. */
int function_site_open(struct function_site *site, const struct function_flags *flags);
void function_site_close(struct function_site *site);
/* Nobody else changes functions until the site is closed. Reads the directory again. */
int function_site_lock(struct function_site *site, struct err *err);

struct function_rules function_site_rules(const struct function_site *site);

/* Paths without the root; to be freed by the caller. */
char *function_site_path(const struct function_site *site, const char *path);
char *function_site_unit_file(const char *name);
char *function_site_document(const struct function_site *site, const char *name);
char *function_site_secrets(const char *name);

/* The port of the function's url; 0: it has none of ours. */
int function_site_port_of(const struct function_site *site, const char *name);
/*
 * The port that the function has, or a free one: always the same for a name, unless another
 * function or program has it. taken: ports given out in this run, n of them. 0: none is free.
 */
struct function_ports {
	int *port;
	size_t n;
};
int function_site_port(const struct function_site *site, const char *name, bool runs,
	const struct function_ports *taken);

#endif

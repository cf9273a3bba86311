// SPDX-License-Identifier: Apache-2.0
/*
 * The text of a function's two readable files: the unit for podman's generator (quadlet,
 * podman-systemd.unit(5)), and the file in the directory of functions.
 */
#ifndef VCOURIER_FUNCTION_UNIT_H
#define VCOURIER_FUNCTION_UNIT_H

#include <stdbool.h>

#include "buf.h"
#include "command.h"
#include "function_documents.h"
#include "function_env.h"
#include "function_spec.h"

/* The first line of each file that we write; a file without it is somebody else's. */
#define FUNCTION_WRITTEN "# Written by `vcourier function apply`"

struct function_unit {
	const struct function_spec *spec;
	const struct function_env_files *env;
	int port;   /* of 127.0.0.1 */
	bool login; /* there is a file with the login to the registry */
	bool writable;
	const struct command_texts *egress; /* checked; none: to everywhere */
	const char *networks; /* podman's, separated by blanks; needed if egress has a limit */
};

/* False: err says which text is neither "any", nor "none", nor an address with its prefix. */
bool function_unit_check_egress(const struct command_texts *egress, struct err *err);

/* Whether egress has a limit. */
bool function_unit_has_filter(const struct command_texts *egress);

/* "10.0.0.0/8", "fd00::/8", or an address alone. */
bool function_unit_is_network(const char *text);

void function_unit_write(const struct function_unit *unit, struct buf *out);

/* The Triggers of the function, its address, and typeStyle and encoding if they are given. */
void function_unit_document(const struct function_documents *documents, const char *name,
	int port, struct buf *out, struct config_errors *errors);

#endif

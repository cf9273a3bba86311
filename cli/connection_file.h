// SPDX-License-Identifier: Apache-2.0
/*
 * The settings of a connection from configuration files. Only the block `bus` is bound, and
 * only the names of sources and dispatchers are read: an operator's tool needs no secret of a
 * vCenter.
 */
#ifndef VCOURIER_CONNECTION_FILE_H
#define VCOURIER_CONNECTION_FILE_H

#include "connection.h"

/*
 * Settings that flags replaces are not read, so that a variable that only they need may be
 * unset. EXIT_NOT_YET, or EXIT_CONFIG after error messages.
 */
int connection_file_read(struct connection_settings *connection,
	const struct connection_flags *flags, const char *path);

/* CONNECTION_CLI_PATH, and deployment, the file of the daemons (NULL: there is none). */
int connection_file_host(struct connection_settings *connection,
	const struct connection_flags *flags, const char *deployment);

#endif

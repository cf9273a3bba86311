// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* MHD wants the socket types */
#include "status_http.h"

#include "clock.h"
#include "connections.h"

int
status_http_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

void
status_http_connection(void *connections, struct MHD_Connection *connection,
	void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	int fd = status_http_fd(connection);

	(void)socket_context;
	if (fd < 0)
		return;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connections_add(connections, fd, clock_monotonic_ms());
	else
		connections_remove(connections, fd);
}

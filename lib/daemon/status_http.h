// SPDX-License-Identifier: Apache-2.0
/* The part of the status server that other servers with libmicrohttpd use too. */
#ifndef VCOURIER_STATUS_HTTP_H
#define VCOURIER_STATUS_HTTP_H

#include <microhttpd.h>

/*
 * For MHD_OPTION_HTTPS_PRIORITIES of each server with TLS: versions 1.2 and 1.3 and no other.
 * The library's default, "NORMAL", includes 1.0 and 1.1, which RFC 8996 forbids. Format:
 * "Priority strings" in the GnuTLS manual.
 */
#define STATUS_HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/*
 * For MHD_OPTION_NOTIFY_CONNECTION, with a struct connections as its argument: adds and removes
 * the server's connections.
 */
void status_http_connection(void *connections, struct MHD_Connection *connection,
	void **socket_context, enum MHD_ConnectionNotificationCode code);

/* The descriptor of a connection; -1: libmicrohttpd does not tell it. */
int status_http_fd(struct MHD_Connection *connection);

#endif

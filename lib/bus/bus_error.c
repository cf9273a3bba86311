// SPDX-License-Identifier: Apache-2.0
/* Maps cnats' status codes to our errors. */
#define _POSIX_C_SOURCE 200809L
#include "bus_private.h"

int
bus_error(struct err *err, natsStatus s, const char *what)
{
	enum err_code code = ERR_CONNECT;
	const char *text = nats_GetLastError(NULL);

	if (s == NATS_TIMEOUT)
		code = ERR_TIMEOUT;
	else if (s == NATS_CONNECTION_AUTH_FAILED || s == NATS_NOT_PERMITTED)
		code = ERR_AUTH;
	else if (s == NATS_SSL_ERROR)
		code = ERR_TLS;
	else if (s == NATS_NO_RESPONDERS)
		code = ERR_NOT_FOUND;
	else if (s == NATS_MAX_PAYLOAD)
		code = ERR_LIMIT;
	else if (s == NATS_INVALID_SUBJECT || s == NATS_INVALID_ARG)
		code = ERR_PROTOCOL;
	return err_set(err, code, "%s: %s", what,
		text != NULL && *text ? text : natsStatus_GetText(s));
}

// SPDX-License-Identifier: Apache-2.0
/* Maps cnats' status codes to our errors. */
#define _POSIX_C_SOURCE 200809L
#include "bus_private.h"

#include <string.h>

/* Without the place in the source of cnats that its texts begin with: "(conn.c:2088): ". */
const char *
bus_error_text(const char *text)
{
	const char *end = *text == '(' ? strstr(text, "): ") : NULL;

	return end != NULL && memchr(text, ' ', (size_t)(end - text)) == NULL ? end + 3 : text;
}

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
	if (s == NATS_NO_SERVER)
		text = "no server answers there";
	return err_set(err, code, "%s: %s", what,
		text != NULL && *text ? bus_error_text(text) : natsStatus_GetText(s));
}

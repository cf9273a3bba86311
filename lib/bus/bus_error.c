// SPDX-License-Identifier: Apache-2.0
/* Maps cnats' status codes to our errors. */
#define _POSIX_C_SOURCE 200809L
#include "bus_private.h"

#include <string.h>

/*
 * Without the place in the source of cnats that its texts begin with, "(conn.c:2088): ", and
 * without the number that OpenSSL has for the fault of a certificate.
 */
const char *
bus_error_text(const char *text)
{
	static const char handshake[] = "SSL handshake error: ";
	const char *end = *text == '(' ? strstr(text, "): ") : NULL;
	size_t digits;

	if (end != NULL && memchr(text, ' ', (size_t)(end - text)) == NULL)
		text = end + 3;
	if (strncmp(text, handshake, strlen(handshake)) != 0)
		return text;
	digits = strspn(text + strlen(handshake), "0123456789");
	return digits > 0 && text[strlen(handshake) + digits] == ':'
		? text + strlen(handshake) + digits + 1
		: text;
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
	else if (s == NATS_SECURE_CONNECTION_WANTED)
		text = "the server offers no TLS";
	return err_set(err, code, "%s: %s", what,
		text != NULL && *text ? bus_error_text(text) : natsStatus_GetText(s));
}

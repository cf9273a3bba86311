// SPDX-License-Identifier: Apache-2.0
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
mark_cut(char *text, size_t size, int wanted)
{
	if (wanted >= (int)size)
		memcpy(text + size - 4, "...", 4);
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	err->code = code;
	va_start(ap, fmt);
	mark_cut(
		err->text, sizeof(err->text), vsnprintf(err->text, sizeof(err->text), fmt, ap));
	va_end(ap);
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	size_t used, rest;
	va_list ap;
	int n;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	used = (size_t)n < sizeof(text) - 3 ? (size_t)n : sizeof(text) - 3;
	memcpy(text + used, ": ", 2);
	used += 2;
	rest = strlen(err->text);
	if (rest > sizeof(text) - 1 - used) {
		rest = sizeof(text) - 1 - used;
		if (rest >= 3)
			memcpy(err->text + rest - 3, "...", 3);
	}
	memcpy(text + used, err->text, rest);
	text[used + rest] = '\0';
	memcpy(err->text, text, used + rest + 1);
	return -1;
}

const char *
err_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_USAGE] = "usage",
		[ERR_CONFIG] = "config",
		[ERR_SYSTEM] = "system",
		[ERR_CONNECT] = "connect",
		[ERR_TLS] = "tls",
		[ERR_TIMEOUT] = "timeout",
		[ERR_AUTH] = "auth",
		[ERR_FORBIDDEN] = "forbidden",
		[ERR_NOT_FOUND] = "not_found",
		[ERR_CONFLICT] = "conflict",
		[ERR_LIMIT] = "limit",
		[ERR_FULL] = "full",
		[ERR_PROTOCOL] = "protocol",
		[ERR_STOPPED] = "stopped",
	};

	if ((size_t)code >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[code];
}

// SPDX-License-Identifier: Apache-2.0
#undef STATIC_ANALYSIS /* the functions themselves */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "url_mask.h"

enum { WHOLE_MAX = 64 * 1024 }; /* of a text before it is masked and cut */

/* The secrets of URLs are masked before the text is cut: a cut URL may have lost its @. */
static size_t
mask(char *text, size_t size, size_t len, const char *fmt, va_list ap)
{
	size_t n = len < WHOLE_MAX ? len : WHOLE_MAX;
	char *whole = mem_alloc(n + 1);
	struct buf masked;

	buf_init(&masked, 2 * WHOLE_MAX);
	vsnprintf(whole, n + 1, fmt, ap);
	url_mask_add(&masked, whole);
	free(whole);
	n = masked.len;
	snprintf(text, size, "%s", buf_str(&masked));
	buf_free(&masked);
	return n;
}

static void
format(char *text, size_t size, const char *fmt, va_list ap)
{
	va_list again;
	size_t n;
	int wanted;

	va_copy(again, ap);
	wanted = vsnprintf(text, size, fmt, ap);
	n = wanted > 0 ? (size_t)wanted : 0;
	if (strstr(text, "://") != NULL)
		n = mask(text, size, n, fmt, again);
	va_end(again);
	if (n >= size)
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
	format(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	size_t used, rest;
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	format(text, sizeof(text) - 2, fmt, ap);
	va_end(ap);
	used = strlen(text);
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
err_strerror(int number)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps the text per thread since 2.32 */
	return strerror(number);
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

// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event_row.h"
#include "printable.h"
#include "text.h"

void
api_fail(struct api_call *call, unsigned status, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_clear(&call->reply->body);
	call->reply->status = status;
	buf_add_str(&call->reply->body, "{\"error\":");
	printable_add_json_string(&call->reply->body, text, strlen(text));
	buf_add_char(&call->reply->body, '}');
}

void
api_fail_err(struct api_call *call, const struct err *err)
{
	unsigned status = err->code == ERR_NOT_FOUND ? 404
		: err->code == ERR_CONFIG || err->code == ERR_USAGE || err->code == ERR_PROTOCOL
		? 400
		: err->code == ERR_FORBIDDEN || err->code == ERR_AUTH ? 502
								      : 503;

	api_fail(call, status, "%s%s",
		err->code == ERR_FORBIDDEN ? "NATS does not permit it: " : "", err->text);
	if (status == 503)
		call->reply->retry_after_s = 2;
}

bool
api_argument(struct api_call *call, const char *name, char *out, size_t size)
{
	const char *value = server_argument(call->request, name);
	size_t len = value != NULL ? strlen(value) : 0;

	out[0] = '\0';
	if (len == 0)
		return true;
	if (len >= size || text_utf8_valid(value, len) != len) {
		api_fail(call, 400, "%s: longer than %zu bytes, or not UTF-8", name, size - 1);
		return false;
	}
	memcpy(out, value, len + 1);
	return true;
}

bool
api_number(struct api_call *call, const char *name, struct api_range range, int64_t *out)
{
	const char *value = server_argument(call->request, name);

	*out = range.def;
	if (value == NULL || *value == '\0' || text_int(value, range.min, range.max, out))
		return true;
	api_fail(call, 400, "%s: not a number from %lld to %lld", name, (long long)range.min,
		(long long)range.max);
	return false;
}

bool
api_filter(struct api_call *call, struct row_filter *f)
{
	const char *pattern = server_argument(call->request, "pattern");
	struct err err;

	memset(f, 0, sizeof(*f));
	if (!api_argument(call, "name", f->name, sizeof(f->name)) ||
		!api_argument(call, "entity", f->entity, sizeof(f->entity)) ||
		!api_argument(call, "user", f->user, sizeof(f->user)) ||
		!api_argument(call, "text", f->text, sizeof(f->text)) ||
		!api_argument(call, "severity", f->severity, sizeof(f->severity)) ||
		!api_argument(call, "source", f->source, sizeof(f->source)))
		return false;
	if (pattern == NULL || *pattern == '\0')
		return true;
	if (pattern_compile(&f->pattern, pattern, strlen(pattern), &err) == 0)
		return true;
	api_fail(call, 400, "%s", err.text);
	return false;
}

struct session *
api_session(struct api_call *call)
{
	struct err err;
	struct session *s = session_pool_borrow(call->console->pool, &err);

	if (s == NULL)
		api_fail_err(call, &err);
	return s;
}

void
api_session_done(struct api_call *call, struct session *session)
{
	session_pool_return(call->console->pool, session);
}

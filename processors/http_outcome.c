// SPDX-License-Identifier: Apache-2.0
/* Maps an HTTP reply or a transport error to an outcome. */
#include "processor.h"
#include "text.h"

/*
 * Whether a status is about the destination, and may change, or about the event, and will not.
 */
static enum verdict
verdict_of(int status)
{
	static const int passing[] = { 401, 403, 404, 408, 409, 425, 429 };

	if (status >= 200 && status < 300)
		return VERDICT_DELIVERED;
	if (status < 300 || status >= 500)
		return VERDICT_RETRY;
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (status == passing[i])
			return VERDICT_RETRY;
	return VERDICT_REJECTED;
}

static enum err_code
code_of(int status)
{
	switch (status) {
	case 401:
		return ERR_AUTH;
	case 403:
		return ERR_FORBIDDEN;
	case 404:
		return ERR_NOT_FOUND;
	case 413:
		return ERR_LIMIT;
	case 429:
		return ERR_FULL;
	default:
		return ERR_PROTOCOL;
	}
}

/* "HTTP 503: upstream gone": the status and the beginning of the body, on one line. */
static void
explain(const struct http_response *rsp, struct err *why)
{
	char said[161];
	size_t n = 0;

	for (size_t i = 0; i < rsp->body_len && n < sizeof(said) - 1; i++) {
		char c = rsp->body[i];
		bool blank = (unsigned char)c <= ' ' || c == 0x7f;

		if (!blank || (n > 0 && said[n - 1] != ' '))
			said[n++] = blank ? ' ' : c;
	}
	while (n > 0 && said[n - 1] == ' ')
		n--;
	n = text_utf8_valid(said, n);
	err_set(why, code_of(rsp->status), "HTTP %d%s%.*s", rsp->status, n > 0 ? ": " : "",
		(int)n, said);
}

void
http_outcome(const struct http_response *rsp, struct outcome *out)
{
	out->status = rsp->status;
	out->retry_after_ms = rsp->retry_after_ms;
	if (rsp->error != ERR_NONE) {
		out->verdict = VERDICT_RETRY;
		out->why = rsp->why;
		return;
	}
	out->verdict = verdict_of(rsp->status);
	if (out->verdict != VERDICT_DELIVERED)
		explain(rsp, &out->why);
}

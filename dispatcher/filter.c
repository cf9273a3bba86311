// SPDX-License-Identifier: Apache-2.0
#include "filter.h"

#include <stdio.h>
#include <string.h>

int
filter_open(struct filter *filter, const struct dispatch_filter *options, struct err *err)
{
	*filter = (struct filter){ .subject = options->subject };
	buf_init(&filter->text, 64 * 1024 * 1024);
	if (options->pattern == NULL)
		return 0;
	if (pattern_compile(
		    &filter->pattern, options->pattern, strlen(options->pattern), err) != 0)
		return err_wrap(err, "filter.pattern");
	return 0;
}

void
filter_close(struct filter *filter)
{
	pattern_free(filter->pattern);
	buf_free(&filter->text);
	filter->pattern = NULL;
}

bool
filter_subject_matches(const char *wildcard, const char *subject)
{
	for (;;) {
		size_t w = strcspn(wildcard, "."), s = strcspn(subject, ".");

		if (w == 1 && *wildcard == '>')
			return s > 0;
		if (!(w == 1 && *wildcard == '*' && s > 0) &&
			(w != s || memcmp(wildcard, subject, w) != 0))
			return false;
		if (wildcard[w] == '\0' || subject[s] == '\0')
			return wildcard[w] == subject[s];
		wildcard += w + 1;
		subject += s + 1;
	}
}

bool
filter_narrow(const char *filter, const char *stream_subject, char *out, size_t size)
{
	const char *f = filter, *s = stream_subject;

	out[0] = '\0';
	for (;;) {
		size_t fn = strcspn(f, "."), sn = strcspn(s, ".");

		if (fn == 1 && *f == '>')
			return true;
		if (sn == 1 &&
			*s == '>') /* after the part that the stream's subject has given */
			return (size_t)snprintf(out, size, "%.*s%s", (int)(s - stream_subject),
				       stream_subject, f) < size;
		if (!(fn == 1 && *f == '*') && (fn != sn || memcmp(f, s, fn) != 0))
			return false;
		if (f[fn] == '\0' || s[sn] == '\0')
			return false;
		f += fn + 1;
		s += sn + 1;
	}
}

static bool
tails_match(const char *wildcard, const char *subject)
{
	const char *w = strchr(wildcard, '.'), *s = strchr(subject, '.');

	return w == NULL || s == NULL || filter_subject_matches(w + 1, s + 1);
}

bool
filter_passes(struct filter *filter, const char *subject, const struct event *ev)
{
	const char *json = ev->json;
	size_t len = ev->json_len;
	struct err err;

	/*
	 * an older consumer may hand out more than the configuration asks for, and so may a
	 * replay
	 */
	if (filter->subject != NULL && !tails_match(filter->subject, subject))
		return false;
	if (filter->pattern == NULL)
		return true;
	if (json == NULL) {
		buf_clear(&filter->text);
		event_add_structured(ev, NULL, &filter->text);
		json = buf_str(&filter->text);
		len = filter->text.len;
	}
	return pattern_match(filter->pattern, json, len, &err) != 0;
}

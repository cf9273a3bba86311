// SPDX-License-Identifier: Apache-2.0
#include "subject_pattern.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "subject.h"
#include "text.h"

enum {
	SEVERITY = 4, /* tokens, from 0 on */
	CLASS = 5,
	NAME = 6,
	TOKENS_MAX = NAME + 7, /* see subject_add_name */
	SOURCE_TYPE = 2,       /* of subjects with the prefix ce */
	SOURCE_TOKENS_MAX = SOURCE_TYPE + 7,
	TEXT_MAX = 120, /* bytes of a pattern in a message */
};

static const char *const severities[] = { "info", "warning", "error", "user", NULL };
static const char *const classes[] = { "event", "eventex", "extendedevent", "vcourier", NULL };

struct part {
	const char *text;
	size_t len, index;
	bool last;
};

static bool
is(const struct part *p, const char *text)
{
	return p->len == strlen(text) && memcmp(p->text, text, p->len) == 0;
}

static int
check_word(const struct part *p, const char *what, const char *const *words, struct err *err)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (is(p, words[i]))
			return 0;
	return err_set(err, ERR_USAGE, "token %zu, the %s, is \"%.*s\": none of %s, %s, %s, %s",
		p->index + 1, what, (int)(p->len < TEXT_MAX ? p->len : TEXT_MAX), p->text,
		words[0], words[1], words[2], words[3]);
}

static bool
has_only_token_bytes(const struct part *p)
{
	for (size_t i = 0; i < p->len; i++) {
		char c = p->text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
			!(c >= '0' && c <= '9') && strchr("_-=~", c) == NULL)
			return false;
	}
	return true;
}

/* A token that holds a wildcard beside other characters, or a character of no token. */
static int
check_bytes(const struct part *p, struct err *err)
{
	int shown = (int)(p->len < TEXT_MAX ? p->len : TEXT_MAX);
	struct buf token;

	if (p->len == 0)
		return err_set(err, ERR_USAGE, "token %zu is empty", p->index + 1);
	if (memchr(p->text, '*', p->len) != NULL || memchr(p->text, '>', p->len) != NULL)
		return err_set(err, ERR_USAGE,
			"token %zu is \"%.*s\": in NATS a wildcard is a whole token; use %s",
			p->index + 1, shown, p->text,
			p->last ? "> for all names, or an event pattern" : "*");
	if (has_only_token_bytes(p))
		return 0;
	buf_init(&token, 4 * TEXT_MAX);
	subject_add_token(&token, p->text, (size_t)shown);
	err_set(err, ERR_USAGE, "token %zu is \"%.*s\": in a subject that is %s", p->index + 1,
		shown, p->text, buf_str(&token));
	buf_free(&token);
	return -1;
}

static int
check_part(const struct part *p, const char *prefix, bool of_source, struct err *err)
{
	if (is(p, "*"))
		return 0;
	if (check_bytes(p, err) != 0)
		return -1;
	if (of_source)
		return 0;
	if (p->index == 0 && !is(p, prefix))
		return err_set(err, ERR_USAGE,
			"token 1 is \"%.*s\": subjects of events begin with %s",
			(int)(p->len < TEXT_MAX ? p->len : TEXT_MAX), p->text, prefix);
	if (p->index == SEVERITY)
		return check_word(p, "severity", severities, err);
	if (p->index == CLASS)
		return check_word(p, "class", classes, err);
	return 0;
}

/* ce.<source>.<type>: a source and at least one token of the type. */
static int
check_source_count(size_t n, bool rest, struct err *err)
{
	if ((rest || n > SOURCE_TYPE) && n <= SOURCE_TOKENS_MAX)
		return 0;
	return err_set(err, ERR_USAGE,
		"%zu tokens; subjects are " SOURCE_SUBJECT_PREFIX ".<source>.<type>%s", n,
		n <= SOURCE_TYPE ? ": end it with >" : "");
}

static int
check_count(size_t n, bool rest, const char *prefix, struct err *err)
{
	if ((rest || n > NAME) && n <= TOKENS_MAX)
		return 0;
	return err_set(err, ERR_USAGE,
		"%zu tokens; subjects are %s.<vCenter>.<datacenter>.<cluster>.<severity>.<class>.<EventName>%s",
		n, prefix, n <= NAME ? ": end it with >" : "");
}

int
subject_pattern_check(const char *pattern, const char *prefix, struct err *err)
{
	struct part p = { .text = pattern };
	bool of_source = text_starts(pattern, SOURCE_SUBJECT_PREFIX ".");

	for (;; p.index++) {
		p.len = strcspn(p.text, ".");
		p.last = p.text[p.len] == '\0';
		if (p.last && is(&p, ">"))
			return of_source ? check_source_count(p.index, true, err)
					 : check_count(p.index, true, prefix, err);
		if (check_part(&p, prefix, of_source, err) != 0)
			return err_wrap(err, "%.*s matches no event", TEXT_MAX, pattern);
		if (p.last)
			break;
		p.text += p.len + 1;
	}
	if (of_source ? check_source_count(p.index + 1, false, err)
		      : check_count(p.index + 1, false, prefix, err))
		return err_wrap(err, "%.*s matches no event", TEXT_MAX, pattern);
	return 0;
}

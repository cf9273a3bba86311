// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* towlower_l */
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wctype.h>

#include "mem.h"
#include "pattern_value.h"
#include "text.h"

enum {
	ASCII_END = 0x80,
	BMP_END = 0x10000,
	DOTTED_I = 0x130, /* its lower-case form is two characters: no pair */
};

static unsigned
decode(const char *text, size_t *len)
{
	const unsigned char *s = (const unsigned char *)text;

	*len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	switch (*len) {
	case 1:
		return s[0];
	case 2:
		return (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU);
	case 3:
		return (s[0] & 0x0fU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
	default:
		return (s[0] & 0x07U) << 18 | (s[1] & 0x3fU) << 12 | (s[2] & 0x3fU) << 6 |
			(s[3] & 0x3fU);
	}
}

/*
 * Only characters of the BMP have pairs, because event-ruler folds Java chars. locale NULL:
 * ASCII only.
 */
static void
fold_one(struct pattern_fold *fold, const char *text, size_t len, locale_t locale)
{
	size_t ignored;
	unsigned c = decode(text, &ignored);
	unsigned pair[2] = { c, c };

	if (c < ASCII_END) {
		if (c >= 'A' && c <= 'Z')
			pair[0] = c + ('a' - 'A');
		if (c >= 'a' && c <= 'z')
			pair[1] = c - ('a' - 'A');
	} else if (c < BMP_END && c != DOTTED_I) {
		pair[0] = (unsigned)towlower_l((wint_t)c, locale);
		pair[1] = (unsigned)towupper_l((wint_t)c, locale);
	}
	for (int i = 0; i < 2; i++) {
		if (pair[i] < BMP_END) {
			fold->len[i] = (unsigned char)text_utf8_encode(pair[i], fold->form[i]);
		} else {
			fold->len[i] = (unsigned char)len;
			memcpy(fold->form[i], text, len);
		}
	}
}

int
pattern_fold_compile(struct pattern_test *test, enum pattern_test_kind kind, const char *text,
	struct err *err)
{
	size_t len = strlen(text), step;
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	if (locale == (locale_t)0)
		return err_set(err, ERR_SYSTEM,
			"equals-ignore-case needs the system's locale C.UTF-8");
	*test = (struct pattern_test){ .kind = kind,
		.fold = mem_array(len + 1, sizeof(*test->fold)) };
	for (size_t i = 0; i < len; i += step) {
		decode(text + i, &step);
		fold_one(&test->fold[test->len++], text + i, step, locale);
	}
	freelocale(locale);
	return 0;
}

static bool
match_forward(const struct pattern_test *test, const char *text, size_t len, bool whole)
{
	size_t at = 0;

	for (size_t i = 0; i < test->len; i++) {
		const struct pattern_fold *fold = &test->fold[i];
		int k;

		if (!whole && at == len && i + 1 == test->len && fold->form[0][0] == '"')
			return true; /* the closing quote, see has_prefix in pattern_value.c */
		for (k = 0; k < 2; k++)
			if (len - at >= fold->len[k] &&
				memcmp(text + at, fold->form[k], fold->len[k]) == 0)
				break;
		if (k == 2)
			return false;
		at += fold->len[k];
	}
	return !whole || at == len;
}

static bool
match_backward(const struct pattern_test *test, const char *text, size_t len)
{
	for (size_t i = test->len; i-- > 0;) {
		const struct pattern_fold *fold = &test->fold[i];
		int k;

		if (len == 0 && i == 0 && fold->form[0][0] == '"')
			return true; /* the opening quote */
		for (k = 0; k < 2; k++)
			if (len >= fold->len[k] &&
				memcmp(text + len - fold->len[k], fold->form[k],
					fold->len[k]) == 0)
				break;
		if (k == 2)
			return false;
		len -= fold->len[k];
	}
	return true;
}

bool
pattern_fold_matches(const struct pattern_test *test, const char *text, size_t len)
{
	if (test->kind == TEST_FOLD_SUFFIX)
		return match_backward(test, text, len);
	return match_forward(test, text, len, test->kind == TEST_FOLD);
}

// SPDX-License-Identifier: Apache-2.0
#include "roff.h"

#include <ctype.h>
#include <stdbool.h>

enum { WIDTH = 78 };

void
roff_add_word(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\')
			buf_add_str(out, "\\e");
		else if (c == '-')
			buf_add_str(out, "\\-");
		else if (c == '\'' || c == '`' || c == '~' || c == '^')
			buf_printf(out, "\\(%s",
				c == '\''          ? "aq"
					: c == '`' ? "ga"
					: c == '~' ? "ti"
						   : "ha");
		else
			buf_add_char(out, c);
	}
}

/* The word with its `code` bold; *bold: inside of it. */
static void
add_marked(struct buf *out, const char *word, size_t len, bool *bold)
{
	while (len > 0) {
		size_t n = 0;

		while (n < len && word[n] != '`')
			n++;
		roff_add_word(out, word, n);
		if (n < len) {
			*bold = !*bold;
			buf_add_str(out, *bold ? "\\fB" : "\\fR");
			n++;
		}
		word += n;
		len -= n;
	}
}

static bool
ends_sentence(const char *word, size_t len, const char *next)
{
	return (word[len - 1] == '.' || word[len - 1] == ':') && isupper((unsigned char)*next);
}

void
roff_add(struct buf *out, const char *text)
{
	bool bold = false, fresh = true;
	size_t start = out->len;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n"), gap = strspn(text + len, " \n");
		struct buf word;

		buf_init(&word, 4096);
		add_marked(&word, text, len, &bold);
		if (!fresh && out->len - start + 1 + word.len > WIDTH) {
			buf_add_char(out, '\n');
			fresh = true;
		}
		if (fresh) {
			start = out->len;
			/* at the beginning of a line they are commands */
			if (word.len > 0 && (word.data[0] == '.' || word.data[0] == '\''))
				buf_add_str(out, "\\&");
		} else {
			buf_add_char(out, ' ');
		}
		buf_add(out, buf_str(&word), word.len);
		buf_free(&word);
		fresh = false;
		if (text[len] == '\n' && text[len + 1] == '\n') {
			buf_add_str(out, "\n.PP\n");
			fresh = true;
		} else if (len > 0 && ends_sentence(text, len, text + len + gap)) {
			buf_add_char(out, '\n');
			fresh = true;
		}
		text += len + gap;
	}
	if (!fresh)
		buf_add_char(out, '\n');
}

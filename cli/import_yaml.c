// SPDX-License-Identifier: Apache-2.0
#include "import_yaml.h"

#include <stdbool.h>
#include <string.h>

#include "printable.h"

/* U+FEFF, U+FFFE and U+FFFF are in no YAML file; printable_add has replaced the others. */
static bool
is_forbidden(const char *s)
{
	return strncmp(s, "\xef\xbb\xbf", 3) == 0 || strncmp(s, "\xef\xbf\xbe", 3) == 0 ||
		strncmp(s, "\xef\xbf\xbf", 3) == 0;
}

/* The text between single quotes. */
static void
add_inside(struct buf *out, const char *text, size_t len)
{
	struct buf clean;

	buf_init(&clean, IMPORT_TEXT_MAX);
	printable_add(&clean, text, len);
	for (const char *s = buf_str(&clean); *s != '\0'; s++) {
		if (is_forbidden(s)) {
			s += 2;
			continue;
		}
		if (*s == '\'')
			buf_add_char(out, '\'');
		buf_add_char(out, *s);
	}
	buf_free(&clean);
}

void
import_yaml_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '\'');
	add_inside(out, text, strlen(text));
	buf_add_char(out, '\'');
}

void
import_yaml_value(struct buf *out, const char *before, const char *text)
{
	buf_add_str(out, before);
	import_yaml_quoted(out, text);
	buf_add_char(out, '\n');
}

void
import_yaml_lines(struct buf *out, const char *before, const char *text)
{
	size_t len;

	buf_printf(out, "%s'", before);
	for (; *text != '\0'; text += len + (text[len] != '\0')) {
		len = strcspn(text, "\n");
		add_inside(out, text, len);
		if (text[len] != '\0') /* two line ends between quotes are one in the text */
			buf_printf(out, "\n\n%*s", (int)strspn(before, " ") + 2, "");
	}
	buf_add_str(out, "'\n");
}

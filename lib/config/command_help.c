// SPDX-License-Identifier: Apache-2.0
/* Usage and --help, from the table. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	WIDTH = 80,
	WIDTH_MIN = 30,
	WIDTH_MAX = 100, /* longer lines are hard to read */
	HELP_COLUMN_MAX = 28,
	NARROW = 60, /* below: the help of an option is on a line of its own */
};

const char *
command_name(const struct command *c, char buf[COMMAND_NAME_SIZE])
{
	snprintf(buf, COMMAND_NAME_SIZE, "%s%s%s", c->program, c->name != NULL ? " " : "",
		c->name != NULL ? c->name : "");
	return buf;
}

int
command_width(void)
{
	struct winsize size;
	int width = WIDTH;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
		size.ws_col > 0)
		width = size.ws_col;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static void
new_line(struct command_wrap *w, struct buf *out)
{
	buf_printf(out, "\n%*s", w->indent, "");
	w->used = w->indent;
}

void
command_add_wrapped(struct command_wrap *w, const char *text, struct buf *out)
{
	bool first = true;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");

		if (len > 0 && !first && w->used + 1 + (int)len > w->width) {
			new_line(w, out);
		} else if (len > 0 && !first) {
			buf_add_char(out, ' ');
			w->used++;
		}
		buf_add(out, text, len);
		w->used += (int)len;
		first = first && len == 0;
		text += len;
		if (text[0] == '\n' && text[1] == '\n') {
			buf_add_char(out, '\n');
			new_line(w, out);
			first = true;
		}
		text += strspn(text, " \n");
	}
}

void
command_add_usage(const struct command *c, struct buf *out)
{
	char name[COMMAND_NAME_SIZE];

	buf_printf(out, "usage: %s [OPTIONS]%s%s\n", command_name(c, name),
		c->arguments != NULL ? " " : "", c->arguments != NULL ? c->arguments : "");
}

static void
add_paragraphs(const char *text, int width, struct buf *out)
{
	struct command_wrap wrap = { .width = width - 1 };

	buf_add_char(out, '\n');
	command_add_wrapped(&wrap, text, out);
	buf_add_char(out, '\n');
}

/* "  -c, --config FILE"; returns its width. */
static int
add_form(const struct command_option *o, struct buf *out)
{
	size_t before = out->len;

	if (o->letter != 0)
		buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(out, "      --%s", o->name);
	if (o->value != NULL)
		buf_printf(out, " %s", o->value);
	return (int)(out->len - before);
}

static bool
is_shown(const struct command_option *o, bool all)
{
	return !(o->flags & COMMAND_HIDDEN) && (all || !(o->flags & COMMAND_RARE));
}

static int
column_of(const struct command_option *rows, bool all)
{
	int column = 0;
	struct buf form;

	for (; rows != NULL && rows->name != NULL; rows++) {
		int width;

		if (!is_shown(rows, all))
			continue;
		buf_init(&form, 256);
		width = add_form(rows, &form) + 2;
		buf_free(&form);
		if (width > column && width <= HELP_COLUMN_MAX)
			column = width;
	}
	return column;
}

static void
add_options(const struct command_option *rows, bool all, int width, struct buf *out)
{
	int column = width < NARROW ? 8 : column_of(rows, all);

	for (; rows != NULL && rows->name != NULL; rows++) {
		struct command_wrap wrap = { .indent = column, .width = width - 1 };
		int used;

		if (!is_shown(rows, all))
			continue;
		used = add_form(rows, out);
		if (used + 2 <= column)
			buf_printf(out, "%*s", column - used, "");
		else
			buf_printf(out, "\n%*s", column, "");
		wrap.used = column;
		command_add_wrapped(&wrap, rows->help, out);
		buf_add_char(out, '\n');
	}
}

static void
add_exits(const struct command_exit *exits, int width, struct buf *out)
{
	struct command_wrap wrap = { .width = width - 1 };
	struct buf text;

	if (exits == NULL)
		return;
	buf_init(&text, 4096);
	buf_add_str(&text, "Exit status:");
	for (const struct command_exit *e = exits; e->meaning != NULL; e++)
		buf_printf(&text, "%s %d %s", e > exits ? "," : "", e->status, e->meaning);
	buf_add_char(out, '\n');
	buf_add_str(&text, ".");
	command_add_wrapped(&wrap, buf_str(&text), out);
	buf_add_char(out, '\n');
	buf_free(&text);
}

static void
add_examples(const struct command *c, struct buf *out)
{
	if (c->examples == NULL)
		return;
	buf_add_str(out, "\nExamples:\n");
	for (const char *const *e = c->examples; *e != NULL; e++)
		buf_printf(out, "  %s %s\n", c->program, *e);
}

static void
add_hint(const struct command *c, int width, struct buf *out)
{
	struct command_wrap wrap = { .width = width - 1 };
	char name[COMMAND_NAME_SIZE];
	struct buf text;

	buf_init(&text, 512);
	buf_printf(&text, "%s --help all also shows %s%s.", command_name(c, name),
		c->shared != NULL ? "the options of " : "the rest",
		c->shared != NULL ? c->shared_title : "");
	buf_add_char(out, '\n');
	command_add_wrapped(&wrap, buf_str(&text), out);
	buf_add_char(out, '\n');
	buf_free(&text);
}

void
command_add_help(const struct command *c, bool all, int width, struct buf *out)
{
	command_add_usage(c, out);
	add_paragraphs(c->about, width, out);
	if (c->options != NULL && c->options[0].name != NULL)
		buf_add_char(out, '\n');
	add_options(c->options, all, width, out);
	if (!all) {
		add_exits(c->exits, width, out);
		add_hint(c, width, out);
		return;
	}
	if (c->shared != NULL) {
		buf_printf(out, "\nOptions of %s:\n", c->shared_title);
		add_options(c->shared, all, width, out);
	}
	if (c->more != NULL)
		add_paragraphs(c->more, width, out);
	add_examples(c, out);
	add_exits(c->exits, width, out);
	for (size_t i = 0; i < sizeof(c->add_help) / sizeof(c->add_help[0]); i++)
		if (c->add_help[i] != NULL)
			c->add_help[i](out);
}

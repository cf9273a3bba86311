// SPDX-License-Identifier: Apache-2.0
#define _XOPEN_SOURCE 700 /* wcwidth */
#include "screen.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "buf.h"
#include "mem.h"
#include "printable.h"

enum { GAP = 2 }; /* columns between two */

void
screen_table_init(struct screen_table *t, const struct screen_column *column, size_t n_columns)
{
	*t = (struct screen_table){ .column = column, .n_columns = n_columns };
}

void
screen_table_free(struct screen_table *t)
{
	free(t->cell);
}

void
screen_cell(struct screen_table *t, const char *fmt, ...)
{
	char text[SCREEN_CELL_MAX];
	struct buf safe;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->cell = mem_grow(t->cell, t->n_cells + 1, sizeof(*t->cell));
	buf_init(&safe, 3 * sizeof(text));
	printable_add(&safe, text, strlen(text));
	snprintf(t->cell[t->n_cells++], SCREEN_CELL_MAX, "%s", buf_str(&safe));
	buf_free(&safe);
}

/*
 * The columns of the character at s, by the C library's table, whatever the user's locale is;
 * *bytes: its length. Text is valid UTF-8.
 */
static int
character(const char *s, size_t *bytes)
{
	static locale_t utf8;
	locale_t before;
	mbstate_t state = { 0 };
	wchar_t c = 0;
	size_t n;
	int width;

	if (utf8 == (locale_t)0)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = uselocale(utf8 != (locale_t)0 ? utf8 : LC_GLOBAL_LOCALE);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the state is of this call */
	n = mbrtowc(&c, s, strlen(s), &state);
	width = n != 0 && n <= 4 ? wcwidth(c) : 1;
	uselocale(before);
	*bytes = n != 0 && n <= 4 ? n : 1;
	return width < 0 ? 1 : width;
}

int
screen_width_of(const char *text)
{
	size_t bytes;
	int n = 0;

	for (; *text != '\0'; text += bytes)
		n += character(text, &bytes);
	return n;
}

void
screen_fit(const char *text, int width, bool right, FILE *out)
{
	int n = screen_width_of(text), room = n > width ? width - 1 : width, used = 0;
	size_t bytes;

	if (width <= 0)
		return;
	if (right && n < width)
		fprintf(out, "%*s", width - n, "");
	for (; *text != '\0'; text += bytes) {
		int columns = character(text, &bytes);

		if (used + columns > room)
			break;
		fwrite(text, 1, bytes, out);
		used += columns;
	}
	if (n > width)
		fprintf(out, "~%*s", width - 1 - used, "");
	else if (!right)
		fprintf(out, "%*s", width - n, "");
}

static const char *
cell_at(const struct screen_table *t, size_t row, size_t column)
{
	return t->cell[row * t->n_columns + column];
}

/* The width of each column; returns that of the table. */
static int
measure(const struct screen_table *t, int width[SCREEN_COLUMNS_MAX])
{
	int total = -GAP;

	for (size_t c = 0; c < t->n_columns; c++) {
		width[c] = screen_width_of(t->column[c].title);
		for (size_t row = 0; row < t->n_cells / t->n_columns; row++) {
			int n = screen_width_of(cell_at(t, row, c));

			width[c] = n > width[c] ? n : width[c];
		}
		total += width[c] + GAP;
	}
	return total;
}

/*
 * Makes columns that may be cut narrower, the widest first; the first column, the name, only
 * when no other can be. Returns the width of the table.
 */
static int
shrink(const struct screen_table *t, int width[SCREEN_COLUMNS_MAX], int total, int screen)
{
	while (total > screen) {
		size_t widest = 0;

		for (size_t c = 1; c < t->n_columns; c++)
			if (t->column[c].shortest != 0 && width[c] > t->column[c].shortest &&
				(widest == 0 || width[c] > width[widest]))
				widest = c;
		if (width[widest] <= t->column[widest].shortest ||
			t->column[widest].shortest == 0)
			break;
		width[widest]--;
		total--;
	}
	return total;
}

/* The first cell is the name, which is never cut: a longer one has a line of its own. */
static void
print_row(const struct screen_table *t, const int width[SCREEN_COLUMNS_MAX], const char **text,
	FILE *out)
{
	if (screen_width_of(text[0]) > width[0]) {
		fprintf(out, "%s\n", text[0]);
		text[0] = "";
	}
	for (size_t c = 0; c < t->n_columns; c++) {
		bool last = true; /* no blanks at the end of a line */

		for (size_t k = c + 1; k < t->n_columns; k++)
			last = last && text[k][0] == '\0';
		if (last && !t->column[c].right && screen_width_of(text[c]) <= width[c])
			fputs(text[c], out);
		else
			screen_fit(text[c], width[c], t->column[c].right, out);
		if (last)
			break;
		fprintf(out, "%*s", GAP, "");
	}
	putc('\n', out);
}

/* One value after the other, each with its title, in as many lines as that takes. */
static void
print_record(const struct screen_table *t, size_t row, int screen, FILE *out)
{
	int used = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		const char *text = cell_at(t, row, c);
		int n = screen_width_of(text) +
			(c > 0 ? screen_width_of(t->column[c].title) + 1 : 0);

		if (c > 0 && used + n + 2 > screen) {
			fputs("\n  ", out);
			used = 2;
		} else if (c > 0) {
			fputs("  ", out);
			used += 2;
		}
		if (text[0] == '\0')
			continue;
		if (c > 0)
			fprintf(out, "%s ", t->column[c].title);
		if (c > 0 && used + n > screen)
			screen_fit(
				text, screen - used - (n - screen_width_of(text)), false, out);
		else
			fputs(text, out);
		used += n;
	}
	putc('\n', out);
}

void
screen_table_print(const struct screen_table *t, int screen, FILE *out)
{
	const char *text[SCREEN_COLUMNS_MAX] = { NULL };
	int width[SCREEN_COLUMNS_MAX] = { 0 };
	size_t rows = t->n_cells / t->n_columns;

	if (shrink(t, width, measure(t, width), screen) > screen) {
		for (size_t row = 0; row < rows; row++)
			print_record(t, row, screen, out);
		return;
	}
	for (size_t c = 0; c < t->n_columns; c++)
		text[c] = t->column[c].title;
	print_row(t, width, text, out);
	for (size_t row = 0; row < rows; row++) {
		for (size_t c = 0; c < t->n_columns; c++)
			text[c] = cell_at(t, row, c);
		print_row(t, width, text, out);
	}
}

const char *
screen_age(long long us, char *buf, size_t size)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	long long s = us / 1000000;
	size_t i = 0;

	if (us < 0) {
		snprintf(buf, size, "-");
		return buf;
	}
	while (i < 3 && s < units[i].seconds)
		i++;
	if (i == 3 || s % units[i].seconds < units[i + 1].seconds)
		snprintf(buf, size, "%lld%c", s / units[i].seconds, units[i].unit);
	else
		snprintf(buf, size, "%lld%c%lld%c", s / units[i].seconds, units[i].unit,
			s % units[i].seconds / units[i + 1].seconds, units[i + 1].unit);
	return buf;
}

const char *
screen_bytes(unsigned long long bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double n = (double)bytes;
	size_t i = 0;

	for (; n >= 1024 && i < 4; i++)
		n /= 1024;
	snprintf(buf, size, i == 0 ? "%.0f %s" : "%.1f %s", n, units[i]);
	return buf;
}

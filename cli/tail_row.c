// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tail_row.h"

#include <string.h>

#include "clock.h"
#include "event_summary.h"
#include "printable.h"
#include "screen.h"
#include "text.h"

enum {
	TIME_WIDTH = 19,       /* 2026-11-22 05:27:11 */
	SHORT_TIME_WIDTH = 14, /* 11-22 05:27:11 */
	SEVERITY_WIDTH = 8,
	SOURCE_MAX = 12,
	TWO_LINES = 60, /* columns below which an event takes two lines */
	WIDE = 130,     /* from here on there is room for the message */
	TEXT_MAX = 200, /* bytes of an event's text in a cell; a byte may become 3 */
	CELL_SIZE = 3 * TEXT_MAX + 1,
};

enum { TIME, SOURCE, SEVERITY, EVENT, ENTITY, USER, MESSAGE, N_CELLS };

struct row {
	char cell[N_CELLS][CELL_SIZE];
};

static void
put(struct row *row, int cell, const char *text)
{
	size_t len = strnlen(text, TEXT_MAX);
	struct buf safe;

	buf_init(&safe, CELL_SIZE);
	printable_add(&safe, text, text_whole(text, len));
	snprintf(row->cell[cell], CELL_SIZE, "%s", text[0] != '\0' ? buf_str(&safe) : "-");
	buf_free(&safe);
}

/* RFC 3339 to "2026-11-22 05:27:11", in UTC. */
static void
put_time(struct row *row, const char *rfc3339)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t us;

	if (!clock_parse(rfc3339, strlen(rfc3339), &us)) {
		put(row, TIME, rfc3339);
		return;
	}
	clock_format(us, text);
	text[TIME_WIDTH] = '\0';
	text[10] = ' ';
	put(row, TIME, text);
}

static void
fill(struct row *row, const char *source, const struct event *ev)
{
	struct event_summary summary;

	event_summary_read(&summary, ev);
	put_time(row, ev->time);
	put(row, SOURCE, source);
	put(row, SEVERITY, summary.severity);
	put(row, EVENT, summary.name);
	put(row, ENTITY, summary.entity);
	put(row, USER, summary.user);
	put(row, MESSAGE, summary.message);
	event_summary_free(&summary);
}

/* ---- output */

static const char *
colour_of(const char *severity)
{
	if (strcmp(severity, "error") == 0)
		return "\033[31m";
	return strcmp(severity, "warning") == 0 ? "\033[33m" : "\033[36m";
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* The width of each cell; 0: it is not shown. Without a terminal longer cells grow. */
static void
layout(const struct tail_format *f, int width[N_CELLS])
{
	int left;

	width[TIME] = f->width == 0 || f->width >= 100 ? TIME_WIDTH : SHORT_TIME_WIDTH;
	width[SOURCE] = least(f->source_width < 6 ? 6 : f->source_width, SOURCE_MAX);
	width[SEVERITY] = SEVERITY_WIDTH;
	left = f->width - width[TIME] - width[SOURCE] - width[SEVERITY] - 5;
	width[EVENT] = f->width == 0 ? 28 : least(left * 45 / 100, 40);
	width[USER] = f->width == 0 ? 28 : least(left * 25 / 100, 28);
	width[ENTITY] = f->width == 0 ? 20 : left - width[EVENT] - width[USER];
	width[MESSAGE] = 0;
	if (f->width == 0 || f->width >= WIDE) {
		width[ENTITY] = f->width == 0 ? 20 : least(width[ENTITY], 24);
		width[MESSAGE] = f->width == 0
			? TEXT_MAX
			: left - width[EVENT] - width[USER] - width[ENTITY] - 1;
	}
}

/* The name of an event is what people copy: a long one takes the room of other cells. */
static void
make_room(const struct row *row, int width[N_CELLS])
{
	static const int others[] = { MESSAGE, USER, ENTITY };
	int lack = screen_width_of(row->cell[EVENT]) - width[EVENT];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && lack > 0; i++) {
		int taken = least(lack, width[others[i]]);

		width[others[i]] -= taken;
		width[EVENT] += taken;
		lack -= taken;
	}
}

static void
print_cell(const struct tail_format *f, const char *text, int cell, int width, FILE *out)
{
	bool coloured = f->colours && (cell == SEVERITY || cell == EVENT);
	int n = screen_width_of(text);

	if (f->width == 0 && n > width)
		width = n;
	if (cell == MESSAGE)
		width = least(n, width);
	if (coloured)
		fputs(cell == EVENT ? "\033[1m" : colour_of(text), out);
	screen_fit(text, width, false, out);
	if (coloured)
		fputs("\033[0m", out);
}

static void
print_line(const struct tail_format *f, const struct row *row, FILE *out)
{
	int width[N_CELLS];

	layout(f, width);
	if (f->width != 0)
		make_room(row, width);
	for (int cell = 0; cell < N_CELLS; cell++) {
		const char *text = row->cell[cell];

		if (width[cell] <= 0)
			continue;
		if (cell == TIME && width[TIME] == SHORT_TIME_WIDTH &&
			strlen(text) == TIME_WIDTH)
			text += TIME_WIDTH - SHORT_TIME_WIDTH;
		else if (cell != TIME)
			putc(' ', out);
		print_cell(f, text, cell, width[cell], out);
	}
	putc('\n', out);
}

static void
print_two_lines(const struct tail_format *f, const struct row *row, FILE *out)
{
	const char *time = strlen(row->cell[TIME]) == TIME_WIDTH ? row->cell[TIME] + 11
								 : row->cell[TIME];
	bool both = screen_width_of(time) + 1 + screen_width_of(row->cell[EVENT]) <= f->width;
	char line[6 * CELL_SIZE]; /* five cells, and blanks */

	snprintf(line, sizeof(line), "%s%s%s", both ? time : "", both ? " " : "",
		row->cell[EVENT]);
	fputs(f->colours ? "\033[1m" : "", out);
	screen_fit(line, least(f->width, screen_width_of(line)), false, out);
	fputs(f->colours ? "\033[0m" : "", out);
	snprintf(line, sizeof(line), "  %s%s%s %s %s %s", both ? "" : time, both ? "" : " ",
		row->cell[SEVERITY], row->cell[SOURCE], row->cell[ENTITY], row->cell[USER]);
	putc('\n', out);
	screen_fit(line, least(f->width, screen_width_of(line)), false, out);
	putc('\n', out);
}

void
tail_row_titles(const struct tail_format *f, FILE *out)
{
	static const char *const titles[] = { "TIME (UTC)", "SOURCE", "SEVERITY", "EVENT",
		"ENTITY", "USER", "MESSAGE" };
	const struct tail_format plain = { f->width, f->source_width, false };
	struct row row;

	if (f->width != 0 && f->width < TWO_LINES)
		return;
	for (int cell = 0; cell < N_CELLS; cell++)
		put(&row, cell, titles[cell]);
	print_line(&plain, &row, out);
}

void
tail_row(const struct tail_format *f, const char *source, const struct event *ev, FILE *out)
{
	struct row row;

	fill(&row, source, ev);
	if (f->width != 0 && f->width < TWO_LINES)
		print_two_lines(f, &row, out);
	else
		print_line(f, &row, out);
}

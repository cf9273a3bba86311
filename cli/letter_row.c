// SPDX-License-Identifier: Apache-2.0
#include "letter_row.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "printable.h"
#include "protocol.h"
#include "screen.h"
#include "text.h"

enum letter_cell { SEQ, TIME, DISPATCHER, EVENT, TRIES, ERROR, N_CELLS };

enum {
	ERROR_LEAST = 30, /* columns: with fewer the error has a line of its own */
	TITLES = 64,      /* columns that the cells before it need */
	INDENT = 8,
	REASON_MAX = 40,
	TEXT_MAX = 4 * LETTER_VALUE_MAX,
};

struct letter_cells {
	char cell[N_CELLS][TEXT_MAX];
};

static const struct {
	const char *title;
	int width; /* at least */
	bool right;
} cells[N_CELLS] = { { "SEQ", 7, true }, { "TIME (UTC)", 16, false },
	{ "DISPATCHER", 10, false }, { "EVENT", 20, false }, { "TRIES", 5, true },
	{ "REASON: ERROR", 0, false } };

static void
put(struct letter_cells *row, enum letter_cell cell, const char *text)
{
	struct buf safe;

	buf_init(&safe, TEXT_MAX);
	printable_add(&safe, text, text_whole(text, strlen(text))); /* it may have been cut */
	snprintf(row->cell[cell], TEXT_MAX, "%s", *text != '\0' ? buf_str(&safe) : "-");
	buf_free(&safe);
}

static void
fill(struct letter_cells *row, const struct letter *l)
{
	char value[LETTER_VALUE_MAX], text[LETTER_VALUE_MAX + REASON_MAX],
		time[CLOCK_TEXT_SIZE];
	const char *name = letter_event_name(
		l->msg.subject, letter_header(l, HEADER_SUBJECT, value));
	size_t reason;

	snprintf(text, sizeof(text), "%.*s", LETTER_VALUE_MAX,
		name != NULL ? name : l->msg.subject);
	put(row, EVENT, text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)l->msg.seq);
	put(row, SEQ, text);
	clock_format(l->msg.time_us, time);
	snprintf(text, sizeof(text), "%.10s %.5s", time, time + 11);
	put(row, TIME, text);
	put(row, DISPATCHER, letter_header(l, HEADER_DISPATCHER, value));
	put(row, TRIES, letter_header(l, HEADER_ATTEMPTS, value));
	snprintf(text, REASON_MAX, "%s", letter_header(l, HEADER_REASON, value));
	reason = strlen(text);
	snprintf(text + reason, sizeof(text) - reason, ": %s",
		letter_header(l, HEADER_ERROR, value));
	put(row, ERROR, text);
}

/* Cut to the width, without blanks behind it. */
static void
print_text(const char *text, int width)
{
	int n = screen_width_of(text);

	screen_fit(text, n < width ? n : width, false, stdout);
	putchar('\n');
}

static void
print_indented(const char *text, int indent, int width)
{
	printf("%*s", indent, "");
	print_text(text, width - indent);
}

static void
print_wide(const struct letter_cells *row, int width)
{
	int used = 0;

	for (int i = 0; i < ERROR; i++) {
		const char *text = row->cell[i];
		int n = screen_width_of(text);

		n = n > cells[i].width ? n : cells[i].width;
		if (i > 0)
			putchar(' ');
		screen_fit(text, n, cells[i].right, stdout);
		used += n + 1;
	}
	if (width - used > ERROR_LEAST) {
		putchar(' ');
		print_text(row->cell[ERROR], width - used);
	} else {
		putchar('\n');
		print_indented(row->cell[ERROR], INDENT, width);
	}
}

static void
print_narrow(const struct letter_cells *row, int width)
{
	char line[3 * TEXT_MAX + 8];

	snprintf(line, sizeof(line), "%s %s", row->cell[SEQ], row->cell[EVENT]);
	print_text(line, width);
	snprintf(line, sizeof(line), "%s %s %sx", row->cell[TIME], row->cell[DISPATCHER],
		row->cell[TRIES]);
	print_indented(line, 2, width);
	print_indented(row->cell[ERROR], 2, width);
}

void
letter_row_titles(int width)
{
	struct letter_cells row;

	if (width < TITLES)
		return;
	for (enum letter_cell i = SEQ; i < N_CELLS; i++)
		put(&row, i, cells[i].title);
	print_wide(&row, width);
}

void
letter_row(const struct letter *l, int width)
{
	struct letter_cells row;

	fill(&row, l);
	if (width < TITLES)
		print_narrow(&row, width);
	else
		print_wide(&row, width);
}

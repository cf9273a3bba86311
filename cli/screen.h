// SPDX-License-Identifier: Apache-2.0
/*
 * Tables for people, as wide as the terminal. Columns are as wide as their longest cell; when
 * that is too much, long cells are cut, except the first of a row: the name, which then has a
 * line of its own. In a terminal that is narrower still each row becomes a line of
 * "TITLE value" pairs.
 */
#ifndef VCOURIER_SCREEN_H
#define VCOURIER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SCREEN_COLUMNS_MAX = 8, SCREEN_CELL_MAX = 200 };

struct screen_column {
	const char *title;
	bool right;   /* aligned to the right: numbers */
	int shortest; /* columns that it may be cut to; 0: it is never cut */
};

struct screen_table {
	const struct screen_column *column;
	size_t n_columns;
	char (*cell)[SCREEN_CELL_MAX]; /* row after row */
	size_t n_cells;
};

void screen_table_init(
	struct screen_table *t, const struct screen_column *column, size_t n_columns);
void screen_table_free(struct screen_table *t);

/* Appends the next cell; text from outside is made printable. */
void screen_cell(struct screen_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints the titles and the rows; width: columns of the terminal. */
void screen_table_print(const struct screen_table *t, int width, FILE *out);

/* The columns that valid UTF-8 takes: two for a wide character, none for a combining one. */
int screen_width_of(const char *text);

/*
 * Prints text in exactly `width` columns: cut, the last one then "~", or filled with blanks.
 */
void screen_fit(const char *text, int width, bool right, FILE *out);

/* "3m12s", "2d3h": the two largest units; "-" for a negative time. buf of 16 bytes. */
const char *screen_age(long long us, char *buf, size_t size);

/* "1.5 GiB". */
const char *screen_bytes(unsigned long long bytes, char *buf, size_t size);

#endif

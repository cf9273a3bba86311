// SPDX-License-Identifier: Apache-2.0
#include "overview_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "printable.h"

static void
shift(struct history_series *s, size_t by)
{
	size_t kept = by < HISTORY_POINTS ? HISTORY_POINTS - by : 0;

	memmove(s->point, s->point + (HISTORY_POINTS - kept), kept * sizeof(s->point[0]));
	for (size_t i = kept; i < HISTORY_POINTS; i++)
		s->point[i] = -1;
}

static bool
is_empty(const struct history_series *s)
{
	for (size_t i = 0; i < HISTORY_POINTS; i++)
		if (s->point[i] >= 0)
			return false;
	return true;
}

void
overview_history_advance(struct overview_history *h, int64_t now_ms)
{
	int64_t step = now_ms / HISTORY_STEP_MS;
	size_t by = step > h->step + HISTORY_POINTS ? HISTORY_POINTS
		: step > h->step                    ? (size_t)(step - h->step)
						    : 0;

	h->step = step;
	for (size_t i = 0; by > 0 && i < h->n; i++) {
		shift(&h->series[i], by);
		if (is_empty(&h->series[i]))
			h->series[i--] = h->series[--h->n];
	}
}

void
overview_history_set(struct overview_history *h, const char *name, double value)
{
	struct history_series *s = NULL;

	for (size_t i = 0; i < h->n && s == NULL; i++)
		if (strcmp(h->series[i].name, name) == 0)
			s = &h->series[i];
	if (s == NULL) {
		if (h->n == HISTORY_SERIES_MAX)
			return;
		h->series = mem_grow(h->series, h->n + 1, sizeof(*h->series));
		s = &h->series[h->n++];
		snprintf(s->name, sizeof(s->name), "%s", name);
		shift(s, HISTORY_POINTS);
	}
	s->point[HISTORY_POINTS - 1] = value;
}

void
overview_history_write(const struct overview_history *h, struct buf *out)
{
	buf_printf(out, "{\"step_ms\":%d,\"series\":{", HISTORY_STEP_MS);
	for (size_t i = 0; i < h->n; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		printable_add_json_string(out, h->series[i].name, strlen(h->series[i].name));
		for (size_t k = 0; k < HISTORY_POINTS; k++) {
			buf_add_str(out, k == 0 ? ":[" : ",");
			if (h->series[i].point[k] < 0)
				buf_add_str(out, "null");
			else
				buf_printf(out, "%.0f", h->series[i].point[k]);
		}
		buf_add_char(out, ']');
	}
	buf_add_str(out, "}}");
}

void
overview_history_free(struct overview_history *h)
{
	free(h->series);
	*h = (struct overview_history){ .series = NULL };
}

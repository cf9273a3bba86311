// SPDX-License-Identifier: Apache-2.0
/*
 * How many log lines of one kind are written. Lines with the same message text are one kind.
 * Of each kind LOG_LIMIT_LINES are written per interval; the others are counted, and a sum is
 * written when the interval ends. A kind never uses up the lines of another one. Not
 * thread-safe; time is an argument.
 */
#ifndef VCOURIER_LOG_LIMIT_H
#define VCOURIER_LOG_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_LIMIT_LINES = 100,
	LOG_LIMIT_MS = 60 * 1000,
	/* the programs have about 150 message texts; of more kinds every line is written */
	LOG_LIMIT_KINDS = 512,
};

struct log_kind {
	char *msg;
	int level;          /* the highest of the lines that were not written */
	int64_t started_ms; /* of the interval */
	unsigned written;   /* in the interval */
	uint64_t left_out;  /* in the interval; no sum says so yet */
};

struct log_limit { /* all zero at the start */
	struct log_kind *kind;
	size_t n, cap;
};

/* True: write this line. False: it is counted. msg is copied. */
bool log_limit_take(struct log_limit *limit, int level, const char *msg, int64_t now_ms);

/*
 * Gives a kind that left lines out and whose interval is over, or with `all` any kind that did,
 * and sets its count to 0; `sum` borrows msg. False: there is no such kind. Call it until then,
 * before log_limit_take.
 */
bool log_limit_sum(struct log_limit *limit, bool all, int64_t now_ms, struct log_kind *sum);

void log_limit_free(struct log_limit *limit);

#endif

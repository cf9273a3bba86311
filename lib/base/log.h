// SPDX-License-Identifier: Apache-2.0
/*
 * Logging to stderr: one line a fact, logfmt or JSON, one write() a line, values escaped. On a
 * terminal the lines are aligned, and coloured unless NO_COLOR is set (https://no-color.org) or
 * TERM is "dumb". In the journal of systemd each line begins with its priority, "<6>"
 * (sd-daemon(3)).
 *
 *     log_info("stream created", L_STR("stream", name), L_INT("replicas", n));
 *
 * Severity words are contracts. debug: for us. info: a change of state an operator may want to
 * see. warn: something is wrong and being handled. error: something needs a person. Every line
 * about an event carries event=<CloudEvent id>, so that one grep follows it through all
 * processes.
 *
 * Input can cause some lines in any number. Of the lines with one message text, 100 a minute
 * are written (log_limit.h); then one line says how many were not. Debug lines have no limit.
 *
 * Secrets: never pass one. As a second line of defence the secrets of URLs are masked in
 * every value (url_mask.h).
 */
#ifndef VCOURIER_LOG_H
#define VCOURIER_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON, LOG_TERMINAL };

struct log_field {
	const char *key;
	enum { LOG_TYPE_NONE, LOG_TYPE_STR, LOG_TYPE_INT, LOG_TYPE_MS, LOG_TYPE_BOOL } type;
	const char *str; /* borrowed for the call; NULL prints as an empty string */
	int64_t num;
};

struct log_line {
	const char *msg; /* constant text */
	struct log_field field[12];
};

/*
 * component: "collector", "dispatcher", "cli"; name: which one (the provider or processor);
 * both borrowed.
 */
void log_init(
	enum log_level level, enum log_format format, const char *component, const char *name);
/* Standard error is a terminal: LOG_TERMINAL is for it. */
bool log_on_terminal(void);

/* False: NO_COLOR is set, or TERM is not, or is "dumb". */
bool log_wants_colours(void);

/* "<4>" when standard error goes to the journal, else "": for lines that are not written here. */
const char *log_priority(enum log_level level);

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_line *line);

/* "debug", "info", "warn", "error"; false when it is none of them. */
bool log_parse_level(const char *text, enum log_level *level);

/*
 * Writes the sums of lines that were left out: of the minutes that are over, or `all`. To be
 * called every second or so, and with `all` before the process ends.
 */
void log_sums(bool all);

/* How many lines there were of each level, written or not, for the metrics port. */
uint64_t log_count(enum log_level level);

/* How many of all lines were not written. */
uint64_t log_left_out(void);

#define log_at(level, ...) \
	(log_enabled(level) ? log_write(level, &(const struct log_line){ __VA_ARGS__ }) \
			    : (void)0)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

static inline struct log_field
L_STR(const char *key, const char *value) {
	return (struct log_field){ .key = key, .type = LOG_TYPE_STR, .str = value };
}

static inline struct log_field
L_INT(const char *key, int64_t value) {
	return (struct log_field){ .key = key, .type = LOG_TYPE_INT, .num = value };
}

static inline struct log_field
L_MS(const char *key, int64_t ms) /* a duration, printed with units */
{
	return (struct log_field){ .key = key, .type = LOG_TYPE_MS, .num = ms };
}

static inline struct log_field
L_BOOL(const char *key, bool value) {
	return (struct log_field){ .key = key, .type = LOG_TYPE_BOOL, .num = value };
}

static inline struct log_field
L_ERR(const struct err *err) /* error="<text>" */
{
	return (struct log_field){ .key = "error", .type = LOG_TYPE_STR, .str = err->text };
}

#endif

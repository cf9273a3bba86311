// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* writev */
#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "log_limit.h"
#include "printable.h"
#include "text.h"
#include "url_mask.h"

enum { LOG_LINE_MAX = 16 * 1024, LOG_VALUE_MAX = 2048, MESSAGE_COLUMNS = 36 };

static struct {
	enum log_level level;
	enum log_format format;
	const char *component, *name;
	pthread_mutex_t lock; /* one line at a time, and the limit */
	struct log_limit limit;
	bool journal, colours;
	atomic_uint_fast64_t count[LOG_ERROR + 1], left_out;
} logger = { .level = LOG_INFO, .component = "vcourier", .lock = PTHREAD_MUTEX_INITIALIZER };

/* syslog(3): debug, info, warning, err */
static const char *const priorities[] = { "<7>", "<6>", "<4>", "<3>" };
static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* Whether standard error is the stream that systemd has named in JOURNAL_STREAM. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

bool
log_on_terminal(void)
{
	return isatty(STDERR_FILENO) != 0;
}

bool
log_wants_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no == NULL || *no == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

const char *
log_priority(enum log_level level)
{
	return is_journal() ? priorities[level] : "";
}

void
log_init(enum log_level level, enum log_format format, const char *component, const char *name)
{
	logger.level = level;
	logger.format = format;
	logger.component = component;
	logger.name = name;
	logger.journal = is_journal();
	logger.colours = format == LOG_TERMINAL && log_wants_colours();
}

bool
log_enabled(enum log_level level)
{
	return level >= logger.level;
}

bool
log_parse_level(const char *text, enum log_level *level)
{
	unsigned i;

	for (i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

uint64_t
log_count(enum log_level level)
{
	return atomic_load(&logger.count[level]);
}

uint64_t
log_left_out(void)
{
	return atomic_load(&logger.left_out);
}

static void
add_string(struct buf *b, const char *s)
{
	struct buf masked;
	size_t len;

	buf_init(&masked, LOG_VALUE_MAX * 4);
	if (s != NULL)
		url_mask_add(&masked, s);
	len = masked.len < LOG_VALUE_MAX ? masked.len : LOG_VALUE_MAX;
	if (logger.format != LOG_JSON && len != 0 && buf_ok(&masked) &&
		strcspn(masked.data, " =\"\\") >= len && !json_needs_escape(masked.data, len) &&
		printable_is(masked.data, len))
		buf_add(b, masked.data, len);
	else
		printable_add_json_string(b, buf_str(&masked), len);
	buf_free(&masked);
}

static void
add_key(struct buf *b, const char *key)
{
	if (logger.format == LOG_JSON) {
		buf_add_str(b, b->len > 1 ? ",\"" : "\"");
		buf_add_str(b, key);
		buf_add_str(b, "\":");
	} else {
		if (b->len != 0)
			buf_add_char(b, ' ');
		buf_add_str(b, key);
		buf_add_char(b, '=');
	}
}

static void
add_field(struct buf *b, const struct log_field *f)
{
	char duration[32];

	add_key(b, f->key);
	if (f->type == LOG_TYPE_STR)
		add_string(b, f->str);
	else if (f->type == LOG_TYPE_BOOL)
		buf_add_str(b, f->num ? "true" : "false");
	else if (f->type == LOG_TYPE_MS && logger.format != LOG_JSON)
		buf_add_str(b, text_duration_str(f->num, duration, sizeof(duration)));
	else
		buf_printf(b, "%lld", (long long)f->num);
}

static void
write_out(enum log_level level, const struct buf *line)
{
	struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)priorities[level] },
		{ .iov_base = line->data, .iov_len = line->len } };

	parts[0].iov_len = logger.journal ? strlen(priorities[level]) : 0;
	if (buf_ok(line) && writev(STDERR_FILENO, parts, 2) < 0) {
		/* Nobody is left to tell. */
	}
}

static void
add_text_field(struct buf *b, const char *key, const char *text)
{
	add_field(b, &(struct log_field){ .key = key, .type = LOG_TYPE_STR, .str = text });
}

static void
add_head(struct buf *b, enum log_level level, const char *msg)
{
	char now[CLOCK_TEXT_SIZE];

	if (logger.format == LOG_JSON)
		buf_add_char(b, '{');
	clock_format_ms(clock_wall_us(), now);
	add_text_field(b, "ts", now);
	add_text_field(b, "level", level_names[level]);
	add_text_field(b, "component", logger.component);
	if (logger.name != NULL)
		add_text_field(b, "name", logger.name);
	add_text_field(b, "msg", msg);
}

/* "14:02:11.042 WARN  lab  message                        key=value" */
static void
add_terminal_head(struct buf *b, enum log_level level, const char *msg)
{
	static const char *const words[] = { "DEBUG", "INFO ", "WARN ", "ERROR" };
	static const char *const colours[] = { "\033[2m", "\033[36m", "\033[33m", "\033[31m" };
	char now[CLOCK_TEXT_SIZE];

	clock_format_ms(clock_wall_us(), now);
	buf_printf(b, "%.12s %s%s%s ", strchr(now, 'T') + 1,
		logger.colours ? colours[level] : "", words[level],
		logger.colours ? "\033[0m" : "");
	if (logger.name != NULL) {
		printable_add(b, logger.name, strlen(logger.name));
		buf_add_char(b, ' ');
	}
	buf_printf(b, " %s%s%s%*s", logger.colours ? "\033[1m" : "", msg,
		logger.colours ? "\033[0m" : "",
		strlen(msg) < MESSAGE_COLUMNS ? (int)(MESSAGE_COLUMNS - strlen(msg)) : 0, "");
}

static void
write_line(enum log_level level, const struct log_line *line)
{
	struct buf b;

	buf_init(&b, LOG_LINE_MAX);
	if (logger.format == LOG_TERMINAL)
		add_terminal_head(&b, level, line->msg);
	else
		add_head(&b, level, line->msg);
	for (size_t i = 0; i < sizeof(line->field) / sizeof(line->field[0]); i++)
		if (line->field[i].type != LOG_TYPE_NONE)
			add_field(&b, &line->field[i]);
	buf_add_str(&b, logger.format == LOG_JSON ? "}\n" : "\n");
	write_out(level, &b);
	buf_free(&b);
}

static void
write_sums(bool all, int64_t now_ms)
{
	struct log_kind sum;

	while (log_limit_sum(&logger.limit, all, now_ms, &sum))
		write_line((enum log_level)sum.level,
			&(struct log_line){ "more lines of one kind than are written",
				{ L_STR("kind", sum.msg),
					L_INT("left_out", (int64_t)sum.left_out),
					L_MS("within", now_ms - sum.started_ms) } });
}

void
log_sums(bool all)
{
	pthread_mutex_lock(&logger.lock);
	write_sums(all, clock_monotonic_ms());
	pthread_mutex_unlock(&logger.lock);
}

void
log_write(enum log_level level, const struct log_line *line)
{
	int64_t now_ms = clock_monotonic_ms();

	atomic_fetch_add(&logger.count[level], 1);
	pthread_mutex_lock(&logger.lock);
	write_sums(false, now_ms);
	if (level == LOG_DEBUG || log_limit_take(&logger.limit, (int)level, line->msg, now_ms))
		write_line(level, line);
	else
		atomic_fetch_add(&logger.left_out, 1);
	pthread_mutex_unlock(&logger.lock);
}

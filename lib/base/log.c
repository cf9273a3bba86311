// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "log_limit.h"
#include "printable.h"
#include "text.h"
#include "url_mask.h"

enum { LOG_LINE_MAX = 16 * 1024, LOG_VALUE_MAX = 2048 };

static struct {
	enum log_level level;
	enum log_format format;
	const char *component, *name;
	pthread_mutex_t lock; /* one line at a time, and the limit */
	struct log_limit limit;
	atomic_uint_fast64_t count[LOG_ERROR + 1], left_out;
} logger = { .level = LOG_INFO, .component = "vcourier", .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
log_init(enum log_level level, enum log_format format, const char *component, const char *name)
{
	logger.level = level;
	logger.format = format;
	logger.component = component;
	logger.name = name;
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
	if (logger.format == LOG_LOGFMT && len != 0 && buf_ok(&masked) &&
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
	else if (f->type == LOG_TYPE_MS && logger.format == LOG_LOGFMT)
		buf_add_str(b, text_duration_str(f->num, duration, sizeof(duration)));
	else
		buf_printf(b, "%lld", (long long)f->num);
}

static void
write_line(enum log_level level, const struct log_line *line)
{
	char now[CLOCK_TEXT_SIZE];
	struct buf b;
	size_t i;

	buf_init(&b, LOG_LINE_MAX);
	if (logger.format == LOG_JSON)
		buf_add_char(&b, '{');
	clock_format_ms(clock_wall_us(), now);
	add_field(&b, &(struct log_field){ .key = "ts", .type = LOG_TYPE_STR, .str = now });
	add_field(&b,
		&(struct log_field){
			.key = "level", .type = LOG_TYPE_STR, .str = level_names[level] });
	add_field(&b,
		&(struct log_field){
			.key = "component", .type = LOG_TYPE_STR, .str = logger.component });
	if (logger.name != NULL)
		add_field(&b,
			&(struct log_field){
				.key = "name", .type = LOG_TYPE_STR, .str = logger.name });
	add_field(&b,
		&(struct log_field){ .key = "msg", .type = LOG_TYPE_STR, .str = line->msg });
	for (i = 0; i < sizeof(line->field) / sizeof(line->field[0]); i++)
		if (line->field[i].type != LOG_TYPE_NONE)
			add_field(&b, &line->field[i]);
	buf_add_str(&b, logger.format == LOG_JSON ? "}\n" : "\n");
	if (buf_ok(&b) && write(STDERR_FILENO, b.data, b.len) < 0) {
		/* Nobody is left to tell. */
	}
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

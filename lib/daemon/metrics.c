// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "log.h"
#include "mem.h"
#include "process_metrics.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

enum { LABEL_MAX = 64 * 1024 }; /* more than a name in the configuration has */

struct metric {
	STAILQ_ENTRY(metric) link; /* in its family */
	char *labels;
	atomic_uint_fast64_t count; /* counter; histogram: of all observations */
	_Atomic double value;       /* gauge; histogram: sum */
	atomic_bool hidden;         /* gauge */
	/* histogram */
	const struct metric_buckets *buckets;
	atomic_uint_fast64_t bucket[METRIC_BUCKETS_MAX]; /* not cumulative */
};

struct family {
	STAILQ_ENTRY(family) link;
	const char *name, *help;
	enum kind kind;
	STAILQ_HEAD(, metric) metrics;
};

/* Only grows: a metric may be used without the lock. */
static struct {
	pthread_mutex_t lock;
	STAILQ_HEAD(, family) families;
	char *labels; /* of every series, with a comma after them; NULL: none */
} registry = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.families = STAILQ_HEAD_INITIALIZER(registry.families) };

static struct family *
find_family(const char *name, enum kind kind, const char *help)
{
	struct family *f;

	STAILQ_FOREACH(f, &registry.families, link)
		if (f->kind == kind && strcmp(f->name, name) == 0)
			return f;
	f = mem_alloc(sizeof(*f));
	f->name = name;
	f->help = help;
	f->kind = kind;
	STAILQ_INIT(&f->metrics);
	STAILQ_INSERT_TAIL(&registry.families, f, link);
	return f;
}

static struct metric *
find(const char *name, const char *labels, enum kind kind, const struct metric_buckets *buckets,
	const char *help)
{
	struct family *f;
	struct metric *m;

	pthread_mutex_lock(&registry.lock);
	f = find_family(name, kind, help);
	STAILQ_FOREACH(m, &f->metrics, link)
		if (strcmp(m->labels, labels) == 0)
			break;
	if (m == NULL) {
		m = mem_alloc(sizeof(*m));
		m->labels = mem_strdup(labels);
		m->buckets = buckets;
		STAILQ_INSERT_TAIL(&f->metrics, m, link);
	}
	pthread_mutex_unlock(&registry.lock);
	return m;
}

void
metrics_set_label(const char *name, const char *value)
{
	struct buf label;

	buf_init(&label, LABEL_MAX);
	buf_printf(&label, "%s=\"", name);
	for (const char *c = value; *c != '\0'; c++)
		if (*c == '"' || *c == '\\')
			buf_printf(&label, "\\%c", *c);
		else
			buf_add_char(&label, *c == '\n' ? ' ' : *c);
	buf_add_str(&label, "\",");
	pthread_mutex_lock(&registry.lock);
	free(registry.labels);
	registry.labels = buf_ok(&label) ? buf_take(&label, NULL) : NULL;
	pthread_mutex_unlock(&registry.lock);
	buf_free(&label);
}

struct metric *
metric_counter(const char *name, const char *labels, const char *help)
{
	return find(name, labels, COUNTER, NULL, help);
}

struct metric *
metric_gauge(const char *name, const char *labels, const char *help)
{
	return find(name, labels, GAUGE, NULL, help);
}

struct metric *
metric_histogram(const char *name, const char *labels, const struct metric_buckets *buckets,
	const char *help)
{
	return find(name, labels, HISTOGRAM, buckets, help);
}

void
metric_add(struct metric *m, uint64_t n)
{
	atomic_fetch_add_explicit(&m->count, n, memory_order_relaxed);
}

void
metric_set(struct metric *m, double v)
{
	atomic_store_explicit(&m->value, v, memory_order_relaxed);
	atomic_store_explicit(&m->hidden, false, memory_order_relaxed);
}

void
metric_hide(struct metric *m)
{
	atomic_store_explicit(&m->hidden, true, memory_order_relaxed);
}

void
metric_observe(struct metric *m, double value)
{
	double sum = atomic_load_explicit(&m->value, memory_order_relaxed);
	const struct metric_buckets *b = m->buckets;
	size_t i = 0;

	while (i < b->n && value > b->bound[i])
		i++;
	if (i < b->n)
		atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&m->value, &sum, sum + value))
		;
	atomic_fetch_add_explicit(&m->count, 1, memory_order_relaxed);
}

uint64_t
metric_count(const struct metric *m)
{
	return atomic_load_explicit(&m->count, memory_order_relaxed);
}

double
metric_value(const struct metric *m)
{
	return atomic_load_explicit(&m->value, memory_order_relaxed);
}

/* ---- rendering: the caller has the lock */

static void
add_header(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* "{...}" with the labels that every series has; le: of a bucket, else NULL. */
static void
add_labels(struct buf *out, const char *labels, const char *le)
{
	const char *all = registry.labels != NULL ? registry.labels : "";
	size_t n = strlen(all);

	if (*labels == '\0' && le == NULL) {
		if (n > 0)
			buf_printf(out, "{%.*s}", (int)n - 1, all);
		return;
	}
	buf_printf(out, "{%s%s", all, labels);
	if (le != NULL)
		buf_printf(out, "%sle=\"%s\"", *labels != '\0' ? "," : "", le);
	buf_add_char(out, '}');
}

static void
add_count(struct buf *out, const char *name, const char *labels, uint64_t n)
{
	buf_add_str(out, name);
	add_labels(out, labels, NULL);
	buf_printf(out, " %" PRIu64 "\n", n);
}

static void
add_value(struct buf *out, const char *name, const char *labels, double value)
{
	buf_add_str(out, name);
	add_labels(out, labels, NULL);
	buf_printf(out, " %.15g\n", value);
}

static void
add_bucket(struct buf *out, const char *name, const char *labels, const char *le, uint64_t n)
{
	buf_printf(out, "%s_bucket", name);
	add_labels(out, labels, le);
	buf_printf(out, " %" PRIu64 "\n", n);
}

static void
add_histogram(struct buf *out, const char *name, const struct metric *m)
{
	/* read first: later observations only make buckets larger, and are cut off */
	uint64_t all = metric_count(m), sum = 0;
	char text[32];
	size_t i;

	for (i = 0; i < m->buckets->n; i++) {
		sum += atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
		snprintf(text, sizeof(text), "%g", m->buckets->bound[i]);
		add_bucket(out, name, m->labels, text, sum < all ? sum : all);
	}
	add_bucket(out, name, m->labels, "+Inf", all);
	snprintf(text, sizeof(text), "%.9g", metric_value(m));
	buf_printf(out, "%s_sum", name);
	add_labels(out, m->labels, NULL);
	buf_printf(out, " %s\n%s_count", text, name);
	add_labels(out, m->labels, NULL);
	buf_printf(out, " %" PRIu64 "\n", all);
}

static void
add_family(struct buf *out, const struct family *f)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const struct metric *m;

	add_header(out, f->name, types[f->kind], f->help);
	STAILQ_FOREACH(m, &f->metrics, link)
		if (f->kind == HISTOGRAM)
			add_histogram(out, f->name, m);
		else if (f->kind == COUNTER)
			add_count(out, f->name, m->labels, metric_count(m));
		else if (!atomic_load_explicit(&m->hidden, memory_order_relaxed))
			add_value(out, f->name, m->labels, metric_value(m));
}

/* process_metrics_fn */
static void
add_number(void *out, const char *name, const char *type, const char *help, double value)
{
	add_header(out, name, type, help);
	add_value(out, name, "", value);
}

static void
add_log_lines(struct buf *out)
{
	static const char *const levels[] = { "level=\"debug\"", "level=\"info\"",
		"level=\"warn\"", "level=\"error\"" };

	add_header(out, "vcourier_log_messages_total", "counter",
		"Log lines by level, written or not.");
	for (unsigned i = 0; i <= LOG_ERROR; i++)
		add_count(out, "vcourier_log_messages_total", levels[i],
			log_count((enum log_level)i));
	add_header(out, "vcourier_log_messages_left_out_total", "counter",
		"Log lines that were counted and not written: more than 100 a minute with one text.");
	add_count(out, "vcourier_log_messages_left_out_total", "", log_left_out());
}

void
metrics_render(struct buf *out)
{
	const struct family *f;

	pthread_mutex_lock(&registry.lock);
	add_header(out, "vcourier_build_info", "gauge",
		"A constant 1, labelled with the version.");
	add_value(out, "vcourier_build_info", "version=\"" VCOURIER_VERSION "\"", 1);
	add_log_lines(out);
	STAILQ_FOREACH(f, &registry.families, link)
		add_family(out, f);
	process_metrics_each(add_number, out);
	pthread_mutex_unlock(&registry.lock);
}

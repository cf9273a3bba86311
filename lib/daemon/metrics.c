// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

#ifndef VCOURIER_VERSION
#define VCOURIER_VERSION "unknown"
#endif

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
	2.5, 5, 10, 30, 60 };

enum { BUCKETS = sizeof(bounds) / sizeof(bounds[0]) };

struct metric {
	struct metric *next; /* of the same family */
	char *labels;
	atomic_uint_fast64_t count;           /* counter; histogram: of all observations */
	_Atomic double value;                 /* gauge; histogram: sum */
	atomic_uint_fast64_t bucket[BUCKETS]; /* not cumulative; unused unless a histogram */
};

struct family {
	struct family *next;
	const char *name, *help;
	enum kind kind;
	struct metric *first, **end;
};

/* Only grows: a metric may be used without the lock. */
static struct {
	pthread_mutex_t lock;
	struct family *first, **end;
} registry = { .lock = PTHREAD_MUTEX_INITIALIZER, .end = &registry.first };

static struct family *
find_family(const char *name, enum kind kind, const char *help)
{
	struct family *f;

	for (f = registry.first; f != NULL; f = f->next)
		if (f->kind == kind && strcmp(f->name, name) == 0)
			return f;
	f = mem_alloc(sizeof(*f));
	f->name = name;
	f->help = help;
	f->kind = kind;
	f->end = &f->first;
	*registry.end = f;
	registry.end = &f->next;
	return f;
}

static struct metric *
find(const char *name, const char *labels, enum kind kind, const char *help)
{
	struct family *f;
	struct metric *m;

	pthread_mutex_lock(&registry.lock);
	f = find_family(name, kind, help);
	for (m = f->first; m != NULL; m = m->next)
		if (strcmp(m->labels, labels) == 0)
			break;
	if (m == NULL) {
		m = mem_alloc(sizeof(*m));
		m->labels = mem_strdup(labels);
		*f->end = m;
		f->end = &m->next;
	}
	pthread_mutex_unlock(&registry.lock);
	return m;
}

struct metric *
metric_counter(const char *name, const char *labels, const char *help)
{
	return find(name, labels, COUNTER, help);
}

struct metric *
metric_gauge(const char *name, const char *labels, const char *help)
{
	return find(name, labels, GAUGE, help);
}

struct metric *
metric_histogram(const char *name, const char *labels, const char *help)
{
	return find(name, labels, HISTOGRAM, help);
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
}

void
metric_observe(struct metric *m, double seconds)
{
	double sum = atomic_load_explicit(&m->value, memory_order_relaxed);
	size_t i = 0;

	while (i < BUCKETS && seconds > bounds[i])
		i++;
	if (i < BUCKETS)
		atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&m->value, &sum, sum + seconds))
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

/* ---- rendering */

static void
add_header(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_labels(struct buf *out, const char *labels)
{
	if (*labels != '\0')
		buf_printf(out, "{%s}", labels);
}

static void
add_histogram(struct buf *out, const char *name, const struct metric *m)
{
	const char *comma = *m->labels != '\0' ? "," : "";
	/*
	 * read first: observations that come meanwhile only make buckets larger, and are cut
	 * off
	 */
	uint64_t all = metric_count(m), sum = 0;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		sum += atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, m->labels,
			comma, bounds[i], sum < all ? sum : all);
	}
	buf_printf(
		out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, m->labels, comma, all);
	buf_printf(out, "%s_sum", name);
	add_labels(out, m->labels);
	buf_printf(out, " %.9g\n%s_count", metric_value(m), name);
	add_labels(out, m->labels);
	buf_printf(out, " %" PRIu64 "\n", all);
}

static void
add_family(struct buf *out, const struct family *f)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const struct metric *m;

	add_header(out, f->name, types[f->kind], f->help);
	for (m = f->first; m != NULL; m = m->next) {
		if (f->kind == HISTOGRAM) {
			add_histogram(out, f->name, m);
			continue;
		}
		buf_add_str(out, f->name);
		add_labels(out, m->labels);
		if (f->kind == COUNTER)
			buf_printf(out, " %" PRIu64 "\n", metric_count(m));
		else
			buf_printf(out, " %.15g\n", metric_value(m));
	}
}

static void
add_number(struct buf *out, const char *name, const char *type, const char *help, double v)
{
	add_header(out, name, type, help);
	buf_printf(out, "%s %.15g\n", name, v);
}

static double
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* ".", "..", and the descriptor of this directory */

	if (dir == NULL)
		return 0;
	while (readdir(dir) !=
		NULL) /* NOLINT(concurrency-mt-unsafe): no other thread has dir */
		n++;
	closedir(dir);
	return n;
}

/*
 * Field 22 of proc(5)'s stat: start time in clock ticks since boot; the process name before it
 * may have any characters.
 */
static double
start_time(void)
{
	static double cached;
	unsigned long long ticks = 0;
	struct timespec boot, now;
	char text[1024], *p;
	FILE *f;
	size_t n;

	if (cached > 0 || (f = fopen("/proc/self/stat", "re")) == NULL)
		return cached;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	for (n = 0; p != NULL && n < 20; n++)
		p = strchr(p + 1, ' ');
	if (p != NULL)
		ticks = strtoull(p + 1, NULL, 10);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	cached = (double)(now.tv_sec - boot.tv_sec) +
		(double)ticks / (double)sysconf(_SC_CLK_TCK);
	return cached;
}

static void
add_memory(struct buf *out)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size = 0, resident = 0;
	double page = (double)sysconf(_SC_PAGESIZE);

	if (f == NULL)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
	if (fscanf(f, "%lu %lu", &size, &resident) == 2) {
		add_number(out, "process_virtual_memory_bytes", "gauge",
			"Virtual memory size in bytes.", (double)size * page);
		add_number(out, "process_resident_memory_bytes", "gauge",
			"Resident memory size in bytes.", (double)resident * page);
	}
	fclose(f);
}

static void
add_process(struct buf *out)
{
	struct rusage usage;
	struct rlimit files;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		add_number(out, "process_cpu_seconds_total", "counter",
			"Total user and system CPU time spent in seconds.",
			(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
					1e6);
	add_memory(out);
	add_number(out, "process_open_fds", "gauge", "Number of open file descriptors.",
		open_fds());
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		add_number(out, "process_max_fds", "gauge",
			"Maximum number of open file descriptors.", (double)files.rlim_cur);
	add_number(out, "process_start_time_seconds", "gauge",
		"Start time of the process since unix epoch in seconds.", start_time());
}

void
metrics_render(struct buf *out)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	const struct family *f;
	unsigned i;

	add_header(out, "vcourier_build_info", "gauge",
		"A constant 1, labelled with the version.");
	buf_add_str(out, "vcourier_build_info{version=\"" VCOURIER_VERSION "\"} 1\n");
	add_header(out, "vcourier_log_messages_total", "counter",
		"Log lines by level, written or not.");
	for (i = 0; i <= LOG_ERROR; i++)
		buf_printf(out, "vcourier_log_messages_total{level=\"%s\"} %" PRIu64 "\n",
			levels[i], log_count((enum log_level)i));
	add_header(out, "vcourier_log_messages_left_out_total", "counter",
		"Log lines that were counted and not written: more than 100 a minute with one text.");
	buf_printf(out, "vcourier_log_messages_left_out_total %" PRIu64 "\n", log_left_out());
	pthread_mutex_lock(&registry.lock);
	for (f = registry.first; f != NULL; f = f->next)
		add_family(out, f);
	pthread_mutex_unlock(&registry.lock);
	add_process(out);
}

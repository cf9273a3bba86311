// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* getloadavg */
#include "stats.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "mem.h"
#include "printable.h"
#include "url_mask.h"

enum { SUBJECTS_MAX = 200, ADDRESS_MAX = 64 * 1024 };

struct subject_count {
	char *subject;
	uint64_t ok, failed;
};

static struct {
	pthread_mutex_t lock;
	bool provider;
	char *name, *address;
	int64_t started_us;
	uint64_t events, failed;
	struct subject_count
		subject[SUBJECTS_MAX + 1]; /* sorted; the last one counts "other" */
	size_t n;
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

static char *
masked(const char *address)
{
	struct buf b;

	buf_init(&b, ADDRESS_MAX);
	if (address != NULL)
		url_mask_add(&b, address);
	return buf_take(&b, NULL);
}

void
stats_init(bool provider, const char *name, const char *address)
{
	pthread_mutex_lock(&self.lock);
	free(self.name);
	free(self.address);
	self.provider = provider;
	self.name = mem_strdup(name);
	self.address = masked(address);
	if (self.started_us == 0)
		self.started_us = clock_wall_us();
	pthread_mutex_unlock(&self.lock);
}

void
stats_events(uint64_t n, uint64_t failed)
{
	pthread_mutex_lock(&self.lock);
	self.events += n;
	self.failed += failed;
	pthread_mutex_unlock(&self.lock);
}

/* Its index among the first n, or where it would be inserted. */
static size_t
find(const char *subject, bool *found)
{
	size_t low = 0, high = self.n;

	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(subject, self.subject[mid].subject);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void
stats_invocation(const char *subject, bool ok)
{
	struct subject_count *count;
	bool found;
	size_t at;

	pthread_mutex_lock(&self.lock);
	at = find(subject, &found);
	if (!found && self.n == SUBJECTS_MAX) {
		at = SUBJECTS_MAX;
	} else if (!found) {
		memmove(&self.subject[at + 1], &self.subject[at],
			(self.n - at) * sizeof(self.subject[0]));
		self.subject[at] = (struct subject_count){ .subject = mem_strdup(subject) };
		self.n++;
	}
	count = &self.subject[at];
	count->ok += ok;
	count->failed += !ok;
	pthread_mutex_unlock(&self.lock);
}

static void
add_member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":", name);
	printable_add_json_string(
		out, value != NULL ? value : "", value != NULL ? strlen(value) : 0);
	buf_add_char(out, ',');
}

static void
add_count(struct buf *out, const struct subject_count *count, const char *name)
{
	printable_add_json_string(out, name, strlen(name));
	buf_printf(out, ":{\"SuccessCount\":%" PRIu64 ",\"FailureCount\":%" PRIu64 "}",
		count->ok, count->failed);
}

static void
add_invocations(struct buf *out)
{
	const struct subject_count *other = &self.subject[SUBJECTS_MAX];
	size_t i;

	buf_add_str(out, ",\"invocations\":{");
	for (i = 0; i < self.n; i++) {
		if (i != 0)
			buf_add_char(out, ',');
		add_count(out, &self.subject[i], self.subject[i].subject);
	}
	if (other->ok + other->failed != 0) {
		buf_add_char(out, ',');
		add_count(out, other, "other");
	}
	buf_add_char(out, '}');
}

/*
 * Go's expvar begins with the command line and runtime memory; only the memory figures that
 * exist in C are given.
 */
static void
add_runtime(struct buf *out, double seconds)
{
	double load[3] = { 0 };
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
		if (fscanf(f, "%lu %lu", &size, &resident) != 2)
			size = resident = 0;
		fclose(f);
	}
	if (getloadavg(load, 3) != 3)
		load[0] = load[1] = load[2] = 0;
	buf_printf(out, "\"memstats\":{\"Sys\":%lu,\"HeapInuse\":%lu},\n", size * 4096,
		resident * 4096);
	buf_printf(out,
		"\"system\":{\"numberOfSeconds\":%.3f,\"programName\":\"vcourier-%s\","
		"\"lastLoad\":%.2f,"
		"\"allLoad\":{\"Load1\":%.2f,\"Load5\":%.2f,\"Load15\":%.2f}},\n",
		seconds, self.provider ? "collector" : "dispatcher", load[0], load[0], load[1],
		load[2]);
}

void
stats_render(void *ctx, struct buf *out)
{
	char started[CLOCK_TEXT_SIZE];
	double seconds;

	(void)ctx;
	pthread_mutex_lock(&self.lock);
	seconds = (double)(clock_wall_us() - self.started_us) / 1e6;
	clock_format(self.started_us, started);
	buf_printf(out, "{\n\"cmdline\":[\"vcourier-%s\"],\n",
		self.provider ? "collector" : "dispatcher");
	add_runtime(out, seconds);
	buf_add_str(out, "\"vmware.event.router.stats\":{");
	printable_add_json_string(out, self.name != NULL ? self.name : "",
		self.name != NULL ? strlen(self.name) : 0);
	buf_add_str(out, ":{");
	add_member(out, "type", self.provider ? "EventProvider" : "EventProcessor");
	add_member(out, "address", self.address);
	buf_printf(out, "\"started\":\"%s\"", started);
	if (self.provider)
		buf_printf(out,
			",\"events_total\":%" PRIu64 ",\"events_err\":%" PRIu64
			",\"events_per_sec\":%.3f",
			self.events, self.failed,
			seconds > 0 ? (double)self.events / seconds : 0);
	else
		add_invocations(out);
	buf_add_str(out, "}}\n}\n");
	pthread_mutex_unlock(&self.lock);
}

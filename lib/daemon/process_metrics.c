// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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
add_memory(process_metrics_fn *add, void *ctx)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size = 0, resident = 0;
	double page = (double)sysconf(_SC_PAGESIZE);

	if (f == NULL)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
	if (fscanf(f, "%lu %lu", &size, &resident) == 2) {
		add(ctx, "process_virtual_memory_bytes", "gauge",
			"Virtual memory size in bytes.", (double)size * page);
		add(ctx, "process_resident_memory_bytes", "gauge",
			"Resident memory size in bytes.", (double)resident * page);
	}
	fclose(f);
}

void
process_metrics_each(process_metrics_fn *add, void *ctx)
{
	struct rusage usage;
	struct rlimit files;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		add(ctx, "process_cpu_seconds_total", "counter",
			"Total user and system CPU time spent in seconds.",
			(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
					1e6);
	add_memory(add, ctx);
	add(ctx, "process_open_fds", "gauge", "Number of open file descriptors.", open_fds());
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		add(ctx, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
			(double)files.rlim_cur);
	add(ctx, "process_start_time_seconds", "gauge",
		"Start time of the process since unix epoch in seconds.", start_time());
}

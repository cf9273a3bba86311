// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* SCHED_BATCH */
#include "process.h"

#include <malloc.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Neither a crash nor a debugger of the same user gets to see secrets (prctl(2), core(5)). */
static void
keep_memory_private(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/*
 * A message is allocated by one thread and freed by another: the small pieces that come back
 * that way pile up in fast bins, and each larger allocation sweeps them first (mallopt(3)).
 * Buffers of whole pages do not go between them: there they would keep the heap as large as it
 * once was.
 */
static void
tune_memory(void)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): before the first thread */
	mallopt(M_MXFAST, 0);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	/* NOLINTEND(concurrency-mt-unsafe) */
}

/*
 * A thread that wakes up for each ack must not push the one aside that publishes: half the
 * context switches.
 */
static void
schedule_in_batches(void)
{
	const struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none) != 0) {
		/*
		 * forbidden, as in our systemd units, which set it themselves: a little slower,
		 * no more
		 */
	}
}

void
process_prepare(void)
{
	keep_memory_private();
	tune_memory();
	schedule_in_batches();
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Faults of the dispatcher itself, for tests of its watchdog: the linker's --wrap puts these in
 * front of functions of job.c. VCOURIER_TOY_FAULT chooses one:
 *
 *     untried  an event is counted as untried for ever, so a paused dispatcher does not ask for
 * another lost     the first event is put into no queue
 */
#include <stdlib.h>
#include <string.h>

#include "job.h"

/* The linker's names. */
void __real_job_set_tried(struct jobs *jobs, struct job *job);
void __wrap_job_set_tried(struct jobs *jobs, struct job *job);
void __real_job_make_ready(struct job *job);
void __wrap_job_make_ready(struct job *job);

/* True the first time, if this fault was chosen. */
static bool
fails(const char *fault)
{
	static bool done;
	const char *chosen = getenv("VCOURIER_TOY_FAULT");

	if (done || chosen == NULL || strcmp(chosen, fault) != 0)
		return false;
	done = true;
	return true;
}

void
__wrap_job_set_tried(struct jobs *jobs, struct job *job)
{
	__real_job_set_tried(jobs, job);
	jobs->n_untried += fails("untried");
}

void
__wrap_job_make_ready(struct job *job)
{
	if (!fails("lost"))
		__real_job_make_ready(job);
}

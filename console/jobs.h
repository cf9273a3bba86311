// SPDX-License-Identifier: Apache-2.0
/*
 * What an operator changes: dead letters that are sent again or dropped, and replays. One job
 * at a time, in a thread of its own; the browser asks how far it is. A job goes on when the
 * session of the user who began it ends. Safe from any thread.
 */
#ifndef VCOURIER_JOBS_H
#define VCOURIER_JOBS_H

#include "buf.h"
#include "bus.h"
#include "bus_options.h"
#include "pattern.h"
#include "users.h"

enum job_kind { JOB_REDRIVE, JOB_DROP, JOB_REPLAY };
enum { JOB_LETTERS_MAX = 100 * 1000 };

struct operator_job {
	enum job_kind kind;
	char user[USER_NAME_MAX + 1];
	uint64_t *seq; /* REDRIVE, DROP: the dead letters */
	size_t n;
	/* REPLAY */
	char dispatcher[200], source[200], subject[300]; /* source and subject: "" is any */
	int64_t since_us, until_us;
	struct pattern *pattern; /* NULL: any */
	bool dry_run;
};

struct operator_jobs;

int jobs_open(struct operator_jobs **jobs, struct bus *bus, const struct bus_config *config,
	struct err *err);
void jobs_stop(struct operator_jobs *jobs);  /* before the bus is closed; ends the job */
void jobs_close(struct operator_jobs *jobs); /* after it was. NULL is fine */

/*
 * Begins a job, whose parts are the jobs' from then on. Returns its number; 0: another one
 * runs, and the parts are still the caller's.
 */
uint64_t jobs_begin(struct operator_jobs *jobs, struct operator_job *job);
void jobs_free_job(struct operator_job *job);

/* Ends the job after what it does at the moment. */
void jobs_cancel(struct operator_jobs *jobs);

/*
 * Appends the newest job: {"job":1,"kind":"redrive","user":...,"running":true,"done":5,
 * "failed":0,"total":10,"error":""}; null when there was none.
 */
void jobs_write(struct operator_jobs *jobs, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "letter.h"
#include "log.h"
#include "mem.h"
#include "printable.h"
#include "protocol.h"
#include "replay.h"
#include "session.h"

enum { FAILURES_MAX = 10 }; /* a job that fails so often ends */

struct operator_jobs {
	struct session session;
	pthread_t thread;
	atomic_bool cancelled;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t wake;
	bool stopping, running;
	struct operator_job job;
	uint64_t number; /* of the newest job; 0: there was none */
	unsigned long long done, failed, total;
	char error[320]; /* the first one */
};

static const char *
kind_name(enum job_kind kind)
{
	static const char *const names[] = { "redrive", "drop", "replay" };

	return names[kind];
}

void
jobs_free_job(struct operator_job *job)
{
	free(job->seq);
	pattern_free(job->pattern);
	*job = (struct operator_job){ .n = 0 };
}

static void
count(struct operator_jobs *j, bool ok, const char *error)
{
	pthread_mutex_lock(&j->lock);
	j->done += ok;
	j->failed += !ok;
	if (!ok && j->error[0] == '\0')
		snprintf(j->error, sizeof(j->error), "%s", error);
	pthread_mutex_unlock(&j->lock);
}

static void
explain(struct operator_jobs *j, struct err *err)
{
	session_explain(&j->session, err);
	if (err->code == ERR_FORBIDDEN)
		err_wrap(err, "NATS does not permit it");
}

/* ---- dead letters */

static int
handle_letter(struct operator_jobs *j, uint64_t seq, struct err *err)
{
	struct bus *bus = j->session.bus;
	struct letter l = { .msg = { .seq = 0 } };
	int rc;

	if (jetstream_stream_get(
		    bus, &(struct message_query){ DEAD_STREAM, seq, NULL }, &l.msg, err) != 0)
		return -1;
	rc = j->job.kind == JOB_REDRIVE ? letter_send_again(&j->session, &l, err) : 0;
	jetstream_msg_free(&l.msg);
	return rc != 0 ? -1 : jetstream_stream_delete_msg(bus, DEAD_STREAM, seq, err);
}

static void
run_letters(struct operator_jobs *j)
{
	for (size_t i = 0; i < j->job.n && j->failed < FAILURES_MAX; i++) {
		struct err err = { .code = ERR_NONE };
		int rc;

		if (atomic_load(&j->cancelled))
			break;
		rc = handle_letter(j, j->job.seq[i], &err);
		if (rc != 0) {
			explain(j, &err);
			err_wrap(&err, "dead letter %llu", (unsigned long long)j->job.seq[i]);
		}
		count(j, rc == 0, err.text);
	}
}

/* ---- replays */

static bool
on_progress(void *ctx, const struct replay_counts *n)
{
	struct operator_jobs *j = ctx;

	pthread_mutex_lock(&j->lock);
	j->done = n->sent;
	j->total = n->total;
	pthread_mutex_unlock(&j->lock);
	return !atomic_load(&j->cancelled);
}

static void
on_refused(void *ctx, const char *stream, uint64_t seq, const struct err *why)
{
	struct err err = *why;

	err_wrap(&err, "event %llu of %s is too large to be sent again",
		(unsigned long long)seq, stream);
	count(ctx, false, err.text);
}

static void
run_replay(struct operator_jobs *j)
{
	const struct replay_watch watch = { on_progress, on_refused, j };
	struct replay_counts n = { .seen = 0 };
	char token[96];
	struct replay_choice choice = { .durable = token,
		.source = j->job.source[0] != '\0' ? j->job.source : NULL,
		.subject = j->job.subject[0] != '\0' ? j->job.subject : NULL,
		.pattern = j->job.pattern,
		.since_us = j->job.since_us,
		.until_us = j->job.until_us,
		.dry_run = j->job.dry_run };
	struct err err = { .code = ERR_NONE };

	session_forget(&j->session);
	if (!session_dispatcher_token(&j->session, j->job.dispatcher, token))
		err_set(&err, ERR_NOT_FOUND, "there is no dispatcher %.100s",
			j->job.dispatcher);
	else if (session_sources(&j->session, &err) == 0 &&
		replay_run(&j->session, &choice, &watch, &n, &err) == 0)
		err.code = ERR_NONE;
	if (err.code != ERR_NONE) {
		explain(j, &err);
		count(j, false, err.text);
	}
	pthread_mutex_lock(&j->lock);
	j->done = n.sent;
	j->total = n.seen;
	pthread_mutex_unlock(&j->lock);
}

/* ---- the thread */

static void
run_job(struct operator_jobs *j)
{
	if (j->job.kind == JOB_REPLAY)
		run_replay(j);
	else
		run_letters(j);
	log_info("job ended", L_STR("job", kind_name(j->job.kind)), L_STR("user", j->job.user),
		L_INT("done", (int64_t)j->done), L_INT("failed", (int64_t)j->failed),
		L_INT("of", (int64_t)j->total), L_STR("error", j->error));
}

static void *
run(void *arg)
{
	struct operator_jobs *j = arg;

	pthread_mutex_lock(&j->lock);
	while (!j->stopping) {
		if (!j->running) {
			clock_cond_wait(&j->wake, &j->lock, 60 * 1000);
			continue;
		}
		pthread_mutex_unlock(&j->lock);
		run_job(j);
		pthread_mutex_lock(&j->lock);
		j->running = false;
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

int
jobs_open(struct operator_jobs **jobs, struct bus *bus, const struct bus_config *config,
	struct err *err)
{
	struct operator_jobs *j = mem_alloc(sizeof(*j));

	j->session.bus = bus;
	j->session.config = config;
	pthread_mutex_init(&j->lock, NULL);
	clock_cond_init(&j->wake);
	if (stream_reader_open(&j->session.reader, bus, err) != 0 ||
		pthread_create(&j->thread, NULL, run, j) != 0) {
		free(j);
		return err_set(
			err, ERR_SYSTEM, "cannot start the thread that sends events again");
	}
	*jobs = j;
	return 0;
}

void
jobs_stop(struct operator_jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->stopping = true;
	atomic_store(&j->cancelled, true);
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	stream_reader_stop(j->session.reader);
}

void
jobs_close(struct operator_jobs *j)
{
	if (j == NULL)
		return;
	jobs_free_job(&j->job);
	stream_reader_close(j->session.reader);
	session_forget(&j->session);
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* The audit line: who does what to how many. */
static void
audit(const struct operator_job *job, uint64_t number)
{
	if (job->kind == JOB_REPLAY)
		log_info("replay begins", L_STR("user", job->user),
			L_INT("job", (int64_t)number), L_STR("dispatcher", job->dispatcher),
			L_STR("source", job->source), L_STR("subject", job->subject),
			L_BOOL("dryRun", job->dry_run));
	else if (job->kind == JOB_REDRIVE)
		log_info("redrive of dead letters begins", L_STR("user", job->user),
			L_INT("job", (int64_t)number), L_INT("count", (int64_t)job->n),
			L_INT("first", (int64_t)job->seq[0]));
	else
		log_info("drop of dead letters begins", L_STR("user", job->user),
			L_INT("job", (int64_t)number), L_INT("count", (int64_t)job->n),
			L_INT("first", (int64_t)job->seq[0]));
}

uint64_t
jobs_begin(struct operator_jobs *j, struct operator_job *job)
{
	uint64_t number = 0;

	pthread_mutex_lock(&j->lock);
	if (!j->running && !j->stopping) {
		jobs_free_job(&j->job);
		j->job = *job;
		*job = (struct operator_job){ .n = 0 };
		number = ++j->number;
		j->done = j->failed = 0;
		j->total = j->job.n;
		j->error[0] = '\0';
		atomic_store(&j->cancelled, false);
		j->running = true;
		audit(&j->job, number);
		pthread_cond_signal(&j->wake);
	}
	pthread_mutex_unlock(&j->lock);
	return number;
}

void
jobs_cancel(struct operator_jobs *j)
{
	atomic_store(&j->cancelled, true);
}

void
jobs_write(struct operator_jobs *j, struct buf *out)
{
	pthread_mutex_lock(&j->lock);
	if (j->number == 0) {
		buf_add_str(out, "null");
	} else {
		buf_printf(out, "{\"job\":%llu,\"kind\":\"%s\",\"dry_run\":%s,\"user\":",
			(unsigned long long)j->number, kind_name(j->job.kind),
			j->job.dry_run ? "true" : "false");
		printable_add_json_string(out, j->job.user, strlen(j->job.user));
		buf_printf(out,
			",\"running\":%s,\"cancelled\":%s,\"done\":%llu,\"failed\":%llu,"
			"\"total\":%llu,\"error\":",
			j->running ? "true" : "false",
			atomic_load(&j->cancelled) ? "true" : "false", j->done, j->failed,
			j->total);
		printable_add_json_string(out, j->error, strlen(j->error));
		buf_add_char(out, '}');
	}
	pthread_mutex_unlock(&j->lock);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The processor contract. A processor decides where an event goes and what the request looks
 * like, and reads a response. It is pure: no network, no threads, no retries, no acks, no logs.
 * The dispatcher does those, the same for every backend.
 *
 * A backend is one file in processors/ that ends in `const struct processor processor_foo`, and
 * one line in processors/list.h. HACKING.md, "Add a backend", has all steps.
 */
#ifndef VCOURIER_PROCESSOR_H
#define VCOURIER_PROCESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "err.h"
#include "event.h"
#include "http.h"

/* The zero value is a retry: an event without a decision is sent again. */
enum verdict {
	/* the destination is at fault or does not reply: keep the event, retry later */
	VERDICT_RETRY,
	VERDICT_DELIVERED, /* the destination has it */
	/*
	 * the reply rejects the event: a dead letter, if others are accepted
	 * (dispatcher/refusals.h)
	 */
	VERDICT_REJECTED,
};

struct outcome {
	enum verdict verdict;
	/* the processor's data is out of date (404, 401): run its refreshes before the retry */
	bool refresh;
	/* the batch was too large: send its events again in smaller batches */
	bool split;
	/* HTTP status, 0 without a reply; for logs, metrics and dead letters */
	int status;
	int64_t retry_after_ms; /* retry not before; -1: not specified */
	struct err why;         /* the reason, unless delivered */
};

/*
 * Maps a whole reply to a verdict, for all backends: 2xx delivered; transport
 * errors, 401, 403, 404, 408, 409, 425, 429 and 5xx retry; 400, 413, 414, 415, 422 and every
 * other 3xx/4xx rejected.
 */
void http_outcome(const struct http_response *rsp, struct outcome *out);

/*
 * Where one event goes. The name is the target's identity: a function, "" where there is just
 * one destination.
 */
struct target {
	char *name; /* owned by the list */
};

/* Events that one request carries to one target. */
struct batch {
	const struct target *target;
	const struct event *const *event;
	size_t n; /* 1 to the processor's batch_max */
};

struct targets {
	struct target *target;
	size_t n, cap;
};
void targets_add(struct targets *targets, const char *name);
void targets_clear(struct targets *targets); /* keeps memory */
void targets_free(struct targets *targets);

/*
 * Data that is read again now and then: a function map, rules, credentials, an address. The
 * dispatcher runs it: request -> HTTP -> response, again while response returns REFRESH_MORE
 * (pages, several steps).
 */
enum refresh_result {
	/* if err->code is set, err is a warning, logged once while it does not change */
	REFRESH_DONE,
	REFRESH_MORE,
	REFRESH_FAILED, /* the last data stays in use; tried again after a backoff */
	/*
	 * The reply may not be true yet: a list that is empty because a gateway has just
	 * started. The last data stays in use; a required refresh that never succeeded has
	 * still not succeeded; tried again after interval_ms. err says what is in doubt.
	 */
	REFRESH_UNCONFIRMED,
};

/*
 * The time of a reply, for data that counts only after it has not changed for a while
 * (absence.h).
 */
struct refresh_time {
	int64_t now_ms;         /* monotonic */
	int64_t empty_grace_ms; /* the option emptyGrace */
};

/* What a refresh's request did. */
enum refresh_step {
	REFRESH_ERROR = -1, /* as err_set returns; tried again after a backoff */
	REFRESH_SEND,       /* the request is filled in */
	REFRESH_NOTHING,    /* nothing to send: the run is done */
	REFRESH_WAIT,       /* called again after 100 ms, same step: a helper program runs */
	/* nothing to send: response reads the data from files; it gets a NULL reply at once */
	REFRESH_FILES,
};

struct refresh {
	const char *name; /* "functions": metrics label and /readyz check */
	/* time to the next run after a success or a doubt; 0: no timer */
	int64_t (*interval_ms)(void *self);
	bool required; /* no deliveries before it has succeeded once */
	/* Fills in the next request of a run; step counts from 0. */
	enum refresh_step (*request)(
		void *self, unsigned step, struct http_request *req, struct err *err);
	/* NULL when request returns neither REFRESH_SEND nor REFRESH_FILES. */
	enum refresh_result (*response)(void *self, unsigned step,
		const struct http_response *rsp, const struct refresh_time *time,
		struct err *err);
	/*
	 * Offset of the member of the processor's struct that these functions get as self. So a
	 * part that several backends share brings its own refresh (HTTP_AUTH_REFRESH).
	 */
	size_t at;
};

/* The self of a refresh's functions. */
static inline void *
refresh_self(const struct refresh *refresh, void *processor)
{
	return (char *)processor + refresh->at;
}

enum { ROUTE_UNSETTLED = 1 }; /* of route; 0: settled */

struct processor {
	const char *type;  /* the config's eventProcessor.type, and the metrics label */
	const char *block; /* the config key of its options, beside `type` */
	const char *help;  /* one sentence */
	const struct config_field *fields; /* its options: type, default, bounds, help */
	size_t config_size;
	size_t batch_max; /* events in one request: 10 for PutEvents, 1 for the others */

	/*
	 * config: the filled struct of config_size bytes; outlives self. Checks what a table
	 * cannot express.
	 */
	int (*open)(void **self, const void *config, struct err *err);
	/*
	 * Reads the files that the options name, and adds warnings about them at `block`; NULL:
	 * there are none. It is called once, after open.
	 */
	void (*check)(
		void *self, const struct config_node *block, struct config_errors *errors);
	/*
	 * Adds the targets of an event; without targets the event is filtered. ROUTE_UNSETTLED:
	 * further targets are possible, because the list of them is not confirmed yet; an event
	 * without targets waits, and is routed again when route_version changes. -1: the event
	 * is at fault (err says why). NULL: every event has the one target "", so that it is
	 * not parsed before its turn.
	 */
	int (*route)(
		void *self, const struct event *ev, struct targets *targets, struct err *err);
	/*
	 * Changes after each refresh that can change the result of route, so that waiting
	 * events are routed again only then. NULL when route is never unsettled.
	 */
	uint64_t (*route_version)(void *self);
	/*
	 * The list of targets as text, and back, so that a dispatcher that was restarted
	 * knows the targets of before: the first list after a start may lack one of several
	 * targets of an event. save appends what is in use now; it is called after
	 * route_version has changed. restore is called at most once, before the first
	 * refresh; -1: nothing was restored. NULL, both, when an event has one target at most,
	 * and when the list is in files.
	 */
	void (*save)(void *self, struct buf *text);
	int (*restore)(void *self, const char *text, size_t len, struct err *err);
	/*
	 * The largest number of targets that one event may have now. Each takes room in the
	 * buffer, and the dispatcher requests fewer events accordingly. NULL: one.
	 */
	size_t (*fan_out)(void *self);
	/*
	 * Bytes that this event adds to a request, and the limit of a request; NULL when
	 * batch_max is 1.
	 */
	size_t (*weight)(void *self, const struct event *ev);
	size_t (*weight_max)(void *self);
	/*
	 * Fills in the request for a batch. -1: its events are at fault. Exceptions: err->code
	 * ERR_AUTH (the credentials cannot be sent) and ERR_NOT_FOUND (no address): the
	 * destination cannot be reached now, and the events are retried as after VERDICT_RETRY.
	 */
	int (*encode)(void *self, const struct batch *batch, struct http_request *req,
		struct err *err);
	/*
	 * One outcome per event of the request. out is zeroed (retry), with retry_after_ms -1.
	 */
	void (*judge)(void *self, const struct target *target, const struct http_response *rsp,
		size_t n, struct outcome *out);
	const struct refresh *refreshes; /* ends with a NULL name; NULL: none */
	void (*close)(void *self);
};

/* All of them, NULL-terminated, from list.h. */
extern const struct processor *const processor_list[];
/* Calls p->route, or does what its absence means. */
int processor_route(const struct processor *p, void *self, const struct event *ev,
	struct targets *targets, struct err *err);

const struct processor *processor_find(const char *type); /* NULL when there is none */

#endif

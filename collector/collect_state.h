// SPDX-License-Identifier: Apache-2.0
/* What the parts of the collector's loop share: collect.c (the loop) and the other collect_*.c. */
#ifndef VCOURIER_COLLECT_STATE_H
#define VCOURIER_COLLECT_STATE_H

#include "backoff.h"
#include "collect.h"
#include "envelope.h"
#include "lease.h"
#include "publisher.h"
#include "seen.h"
#include "severity.h"
#include "tail.h"

enum { LATEST_FIRST_MS = 1000 }; /* idle for so long: ask for the latest event */

struct collect {
	const struct collect_options *options;
	struct bus *bus;
	struct vim *vim;
	struct publisher *publisher;
	struct stream_reader *reader;
	struct lease *lease;
	struct envelope envelope;
	struct envelope_source source;

	/* what is in the stream */
	struct seen seen;
	bool loaded;             /* seen, newest_us and the publisher agree with the stream */
	bool any;                /* newest_us and last_key are set */
	int64_t newest_us;       /* H: the largest createdTime published */
	int32_t last_key;        /* of that event */
	int64_t floor_us;        /* where this process began, INT64_MIN: at the earliest; for a stream that vanishes */
	int64_t stream_created_us;
	int64_t reopen_us;       /* the next collector begins no later than this; INT64_MAX: no wish */
	uint64_t reconnects;     /* the bus's when the stream was prepared; UINT64_MAX: prepare it again */
	int64_t look_ms;         /* monotonic: when we looked at the stream */

	/* the live collector */
	struct vim_collector live, spent; /* spent: the one before, to be given back */
	int page_size;           /* events asked for; fewer, until the end is reached, when replies are too large */
	bool expect_overlap;     /* the newest published event must come again in its first events */
	int64_t pause_ms;        /* between polls, grows while idle */
	int64_t fresh_ms;        /* monotonic: when the last new event came */
	int64_t audit_ms, lag_ms, latest_check_ms, latest_interval_ms;
	unsigned stalls;         /* idle checks in a row that found an event we do not get to see */
	unsigned walk_fineness;  /* grows while walks find nothing */
	struct vim_latest invisible; /* a latest event given up on */

	/* the account's privileges (collect_access.c) */
	char lacking[64];        /* those that it lacks; "" */
	int64_t access_ms;       /* monotonic: when to look again */
	struct collect_mark {    /* up to here everything could be seen */
		bool set, any;
		int64_t newest_us;
		int32_t last_key;
	} sighted;

	/* collect_catalogue.c */
	struct collect_catalogue {
		struct severities names;
		int64_t since_ms, due_ms; /* monotonic: when it was first wanted, when to ask again */
		bool read_once, failed, waited;
	} catalogue;

	struct backoff backoff, login_backoff;
	struct steady shorter;   /* since when the stream ends before what was stored */
	char trouble[320];       /* last failure logged, so that a lasting one is told once a minute */
	int64_t trouble_ms;
	uint64_t read, duplicates, retried, rejected;
	struct collect_damaged { /* hashes of the newest events that had no identity: each is counted once */
		uint64_t hash[256];
		size_t n; /* that there ever were */
	} damaged;
};

/* collect_read.c. Each returns -1 when the vCenter or the publisher failed: the loop then finds out which. */
int collect_open(struct collect *c, struct err *err);
int collect_poll(struct collect *c, bool *full, struct err *err); /* one page of the live collector */
int collect_audit(struct collect *c, struct err *err);
void collect_begin_epoch(struct collect *c); /* another database, or another time: keys and times may come again */

struct collect_window {
	struct vim_filter filter;
	size_t read, fresh; /* events that came, and those of them that were not in the stream */
	int64_t last_us;    /* createdTime of the last one */
	unsigned calls;
};

/* Reads a window through with a collector of its own, and adds to what the struct counts. */
int collect_read_window(struct collect *c, struct collect_window *w, struct err *err);

/* collect_stall.c */
int collect_check_latest(struct collect *c, struct err *err);
void collect_measure_lag(struct collect *c); /* also while it is too busy, or blocked, to ask for anything else */

/*
 * collect_access.c: tells when the account may not see all events (log, /readyz, metric), and reads what was hidden
 * meanwhile once it may. -1: as above.
 */
int collect_check_access(struct collect *c, struct err *err);
void collect_recheck_access(struct collect *c); /* at the next turn */
void collect_forget_access(void);               /* without a session it is not known */
void collect_lower_mark(struct collect *c);     /* the stream has lost its end */

/* collect_catalogue.c: the severities. *wait: events must not be read yet. -1: the session is lost. */
int collect_check_catalogue(struct collect *c, bool *wait, struct err *err);
void collect_want_catalogue(struct collect *c); /* a new session */

/* collect_stream.c: the stream's side */
int collect_prepare_stream(struct collect *c, struct err *err);   /* stream there, seen loaded, publisher set */
int collect_check_stream(struct collect *c, struct err *err);     /* each 10 s: whether it has lost its end */
int collect_load_since(struct collect *c, int64_t since_us, struct err *err);
void collect_take_back(struct collect *c);                        /* forget what was sent and not acked */

/* collect_metrics.c */
void collect_metrics_init(void);
void collect_metrics_update(struct collect *c);
void collect_count_poll(bool ok);
void collect_count_session(const char *reason);
void collect_count_publish_error(enum err_code code);
void collect_count_gap(void);
void collect_count_stall(const char *reason);
void collect_count_epoch(void);
void collect_set_lacking(bool lacking);
void collect_count_event(const struct normalize_event *e, bool trimmed);
void collect_count_page(const struct normalize_page *page);
void collect_set_latest(const struct collect *c, const struct vim_latest *latest);
void collect_set_clock_skew(double seconds);

#endif

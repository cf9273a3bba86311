// SPDX-License-Identifier: Apache-2.0
/*
 * What the parts of the collector's loop share: collect.c (the loop) and the other collect_*.c.
 */
#ifndef VCOURIER_COLLECT_STATE_H
#define VCOURIER_COLLECT_STATE_H

#include "backoff.h"
#include "collect.h"
#include "envelope.h"
#include "lease.h"
#include "position.h"
#include "publisher.h"
#include "seen.h"
#include "severities.h"
#include "tail.h"
#include "vcenter_clock.h"
#include "visibility.h"

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
	/* every stored event created since is in `seen`; INT64_MIN: all */
	int64_t known_us;
	bool loaded; /* seen, position and publisher agree with the stream */
	struct position position;
	int64_t stream_created_us;
	/* the bus's when the stream was prepared; UINT64_MAX: prepare it again */
	uint64_t reconnects;
	/* messages to read back at least, after the stream refused duplicates */
	uint64_t read_back;
	int64_t look_ms; /* monotonic: when we looked at the stream */
	struct vcenter_clock clock;
	/* monotonic: when it was asked because of such a date; 0: never */
	int64_t date_asked_ms[POSITION_BEHIND + 1];

	/* the live collector */
	struct vim_collector live, spent; /* spent: the one before, to be given back */
	/* events asked for; fewer, until the end is reached, when replies are too large */
	/* the newest published event must come again in its first events */
	bool expect_overlap;
	/* look at the newest events by key when this one has reached the end */
	bool recent_due;
	int64_t pause_ms; /* between polls, grows while idle */
	int64_t fresh_ms; /* monotonic: when the last new event came */
	int64_t audit_ms, lag_ms, latest_check_ms, latest_interval_ms;
	/* idle checks in a row that found an event we do not get to see */
	unsigned stalls;
	unsigned walk_fineness;      /* grows while walks find nothing */
	struct vim_latest invisible; /* a latest event given up on */
	int64_t recent_ms;       /* monotonic: when the newest events were looked at by key */
	bool recent_any;         /* recent_key is set: */
	int32_t recent_key;      /* the newest then */
	uint64_t recent_new;     /* events published since */
	int32_t recent_from_key; /* a look takes events with keys after this one */
	/* where the live collector began; INT64_MIN: at the earliest */
	int64_t live_begin_us;

	/* the account's privileges (collect_access.c) */
	char lacking[64];  /* those that it lacks; "" */
	int64_t access_ms; /* monotonic: when to look again */
	bool hidden_due;   /* it may see all again: what was hidden has to be read */
	struct visibility visibility;

	/* collect_catalogue.c */
	struct collect_catalogue {
		struct severities names;
		/* monotonic: when it was first wanted, when to ask again */
		int64_t since_ms, due_ms;
		bool read_once, failed, waited;
	} catalogue;

	struct backoff backoff, login_backoff;
	struct steady shorter; /* since when the stream ends before what was stored */
	/* last failure logged, so that a lasting one is told once a minute */
	char trouble[320];
	int64_t trouble_ms;
	uint64_t read, duplicates, retried, rejected;
	/* hashes of the newest events that had no identity: each is counted once */
	struct collect_damaged {
		uint64_t hash[256];
		size_t n; /* that there ever were */
	} damaged;
};

/*
 * collect_read.c. Each returns -1 when the vCenter or the publisher failed: the loop then finds
 * out which.
 */
int collect_open(struct collect *c, struct err *err);
/* one page of the live collector */
int collect_poll(struct collect *c, bool *full, struct err *err);
int collect_audit(struct collect *c, struct err *err);
/* another database: keys start over with this one */
void collect_begin_epoch(struct collect *c, int32_t key);
/*
 * collect_gap.c: looks at the first page of a new collector; publishes a record when events are
 * missing before it.
 */
int collect_check_overlap(
	struct collect *c, const struct normalize_page *page, struct err *err);
void collect_abandon(struct collect *c); /* collect.c: the live collector is of no more use */

struct collect_window {
	struct vim_filter filter;
	/* of events with one of the newest keys; the others there are of long ago */
	bool recent_only;
	/* events that came, and those of them that were not in the stream */
	size_t read, fresh;
	int64_t last_us; /* createdTime of the last one */
	unsigned calls;
};

/* Reads a window through with a collector of its own, and adds to what the struct counts. */
int collect_read_window(struct collect *c, struct collect_window *w, struct err *err);

/*
 * collect_recent.c: the vCenter's newest events by key, for those that no reading by date
 * meets.
 */
int collect_check_recent(struct collect *c, struct err *err);
int collect_read_recent(struct collect *c, size_t *fresh, struct err *err); /* at once */
void collect_set_recent_key(struct collect *c, int32_t key); /* up to here nothing is missing */
bool collect_is_recent(const struct collect *c, int32_t key);

/* collect_clock.c */
int collect_ask_clock(struct collect *c, struct err *err);
int collect_check_clock(struct collect *c, struct err *err); /* the same, each 10 s */
/*
 * Asks the clock when a date is ahead of it or far behind the position: it may have been set.
 */
int collect_check_date(struct collect *c, int64_t created_us, struct err *err);
int collect_check_dates(struct collect *c, const struct normalize_page *page, struct err *err);
/* at start, with what is stored */
void collect_compare_clock(struct collect *c, const struct tail *tail);

/* collect_stall.c */
int collect_check_latest(struct collect *c, struct err *err);
/* also while it is too busy, or blocked, to ask for anything else */
void collect_measure_lag(struct collect *c);

/*
 * collect_access.c: tells when the account may not see all events (log, /readyz, metric), and
 * reads what was hidden meanwhile once it may. -1: as above.
 */
int collect_check_access(struct collect *c, struct err *err);
/* reads what was hidden, when that is due */
int collect_regain(struct collect *c, struct err *err);
void collect_recheck_access(struct collect *c); /* at the next turn */
void collect_forget_access(void);               /* without a session it is not known */
void collect_lower_mark(struct collect *c);     /* the position went back */

/*
 * collect_catalogue.c: the severities. *wait: events must not be read yet. -1: the session is
 * lost.
 */
int collect_check_catalogue(struct collect *c, bool *wait, struct err *err);
void collect_want_catalogue(struct collect *c); /* a new session */

/* collect_stream.c: the stream's side */
/* stream there, seen loaded, publisher set */
int collect_prepare_stream(struct collect *c, struct err *err);
/* each 10 s: whether it has lost its end */
int collect_check_stream(struct collect *c, struct err *err);
/*
 * Before events created since then are read again: what the stream has of them must be in
 * `seen`.
 */
int collect_know_since(struct collect *c, int64_t since_us, struct err *err);

/* collect_metrics.c */
void collect_metrics_init(void);
void collect_metrics_update(struct collect *c);
void collect_count_poll(bool ok);
void collect_count_session(const char *reason);
void collect_count_publish_error(enum err_code code);
void collect_count_gap(void);
void collect_count_stall(const char *reason);
void collect_count_epoch(void);
void collect_count_out_of_order(enum position_date date);
void collect_count_before_start(void);
void collect_set_lacking(bool lacking);
void collect_count_event(const struct normalize_event *e, bool trimmed);
void collect_count_page(const struct normalize_page *page);
void collect_set_latest(const struct collect *c, const struct vim_latest *latest);
void collect_set_clock_skew(double seconds);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The reading position: from which createdTime the source has to be read so that no event is
 * missed. Pure; all times are the source's, in microseconds since 1970.
 *
 * The position is the newest createdTime that is stored and that the source's clock confirms:
 *
 *     an event dated ahead of the clock       is stored and does not move it
 *     an event dated before the position      is stored and does not move it
 *     while a backlog is read (full pages)    it is the middle of the page by date: a few wrong
 *                                             dates among the right ones do not move it.
 *                                             Reading goes by key, not by date
 *     the clock was set back                  it goes back to the earliest time that a new
 *                                             event can have
 *     an event was sent and not stored        reading begins no later than at its date
 *
 * A position that is too low costs a second reading of events that are known; one that is too
 * high loses events.
 */
#ifndef VCOURIER_POSITION_H
#define VCOURIER_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An event dated ahead by no more than this is normal: clocks differ by as much. */
enum { POSITION_TOLERANCE_US = 5 * 60 * 1000000 };

enum { POSITION_SAMPLES = 31 }; /* events of a page that are enough to find its middle */

struct position_event {
	int64_t created_us;
	int64_t key;
};

struct position {
	int64_t overlap_us; /* W: a collector begins so far before the position */
	int64_t audit_us;   /* A: the audit begins so far before it */
	bool any;           /* `newest` is set */
	/*
	 * `newest` is an event of the stream: when neither it nor a later one is at the source,
	 * events are missing
	 */
	bool is_event;
	struct position_event newest; /* H, the position */
	/* newest event stored that was not dated ahead; may be after H */
	struct position_event stored;
	int64_t reopen_us;     /* begin no later than this; INT64_MAX: no bound */
	bool reopen_until_end; /* keep that bound until everything was read */
	bool catching_up;      /* the last page was full */
	/* where this process began; INT64_MAX: not yet, INT64_MIN: at the earliest */
	int64_t begun_us;
	bool has_first;              /* `first` is set: */
	struct position_event first; /* the first event that this stream is about */
	int64_t before_step_us;      /* H when the clock was set forward */
	/* monotonic: when that was noticed; INT64_MIN: it was not */
	int64_t step_ms;
};

enum position_date {
	POSITION_IN_ORDER,
	POSITION_AHEAD,  /* dated ahead of the source's clock */
	POSITION_BEHIND, /* dated before what the next collector would read */
};

void position_init(struct position *p, int64_t overlap_us, int64_t audit_us);

void position_forget(struct position *p); /* nothing is stored */

/*
 * What the stream says. newest: its newest event in order whose date the clock confirms; NULL:
 * none. stored: the same, also later than the clock. complete_us: see
 * HEADER_COMPLETE_BEFORE.
 */
void position_adopt(struct position *p, const struct position_event *newest,
	const struct position_event *stored, int64_t complete_us);

/* The first event that this stream is about, now or ever. */
void position_set_first(struct position *p, const struct position_event *first);

/* now_us: what the source's clock shows. */
enum position_date position_date(const struct position *p, int64_t created_us, int64_t now_us);

/* The createdTime from which a reading finds an event again; date: of position_date. */
int64_t position_again(const struct position *p, int64_t created_us, enum position_date date);

/* An event was sent to the stream; date: what position_date said of it. */
void position_sent(struct position *p, const struct position_event *event,
	enum position_date date, int64_t now_us);

/* A page begins: whether it is full, so that more is behind it. */
void position_begin_page(struct position *p, bool full);

/*
 * A page of the live collector was sent; sample: n of its events, at most POSITION_SAMPLES,
 * evenly spread. Full: the position moves to the middle one by date. Not full: everything was
 * read.
 */
void position_end_page(
	struct position *p, const struct position_event *sample, size_t n, int64_t now_us);

/*
 * For the stream's next message: what was created before is stored or sent; INT64_MAX:
 * everything that was read.
 */
int64_t position_complete(const struct position *p);

/* Events created since again_us were sent and are not stored: they are read again. */
void position_take_back(struct position *p, int64_t again_us);

/*
 * The clock was set back: new events may have dates from earliest_us on. When the position is
 * after that, it moves there, until everything was read; false: it stays.
 */
bool position_set_back(struct position *p, int64_t earliest_us);

/*
 * The source was restored from a backup; its newest event now is this one. Keys and dates of
 * lost events come again, for other events.
 */
void position_set_restored(struct position *p, const struct position_event *latest);

/* Keys start over with this one: the source has another database. */
void position_begin_epoch(struct position *p, int64_t key);
void position_forget_first(struct position *p); /* the stream is about another source */

/* Reading begins where it did at first, as when nothing is stored. */
void position_reopen_at_start(struct position *p);

/*
 * Until position_release, position_complete is no later than us: events created since then are
 * being read again, and another collector that takes over has to do so, too.
 */
struct position_hold {
	int64_t reopen_us;
	bool until_end;
};
struct position_hold position_hold(struct position *p, int64_t us);
void position_release(struct position *p, const struct position_hold *hold);

/* The clock was set forward: for a while the audit begins before that. */
void position_set_forward(struct position *p, int64_t now_ms);

/* H, or where reading must begin before it; INT64_MIN: at the earliest. Only when `any`. */
int64_t position_resume(const struct position *p);

/*
 * Where the next live collector begins; start_us: when nothing was read yet. INT64_MIN: no
 * bound.
 */
int64_t position_begin(const struct position *p, int64_t start_us);
void position_begun(struct position *p, int64_t begin_us); /* it did */

int64_t position_audit_begin(const struct position *p, int64_t now_ms); /* only when `any` */

/* No event created before this is ever read again by date. INT64_MIN: cannot tell. */
int64_t position_oldest_needed(const struct position *p);

/* The key comes after the other one; the keys of a vCenter are 32 bits and wrap. */
bool position_key_after(int64_t key, int64_t other);

bool position_is_old_key(const struct position *p, int64_t key); /* before the stream's first */

/*
 * The event was in the vCenter before startFrom, or has left the stream again: its date and its
 * key are both before the first of this stream. Such an event is not stored.
 */
bool position_is_before_start(const struct position *p, const struct position_event *event);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The few calls of the vSphere Web Services API (vim25 over SOAP) that reading events needs.
 * https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/
 *
 * One session, kept for ever: vim_connect logs in only when there is none. Every call waits for
 * its reply, at most vim_options.timeout_ms, and beats (status_beat) while it waits. After an
 * error from a read the position of that collector is unknown: create it again.
 *
 * Errors: ERR_AUTH: the login was refused (do not try again fast, accounts lock).
 * ERR_NOT_FOUND: session or collector are gone (vim_connect, new collector). ERR_FULL: no more
 * collectors in this session. ERR_FORBIDDEN: the account lacks the privilege that the text
 * names. ERR_LIMIT, of the reads only: the collector's next pages are smaller, create it again
 * at once. Others: transport.
 */
#ifndef VCOURIER_VIM_H
#define VCOURIER_VIM_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "http.h"
#include "normalize.h"

struct vim;

struct vim_options {
	const char *url; /* https://vc1.example.com/sdk */
	const char *user;
	const struct secret *password; /* read again at each login */
	struct http_peer peer;
	int64_t timeout_ms; /* of one call */
	int page_size;      /* events of a page, 1..1000; fewer where a page fails */
	struct normalize_limits limits;
};

struct vim_about {
	char name[128], api_version[32], build[32], instance_uuid[64];
};

/*
 * An EventHistoryCollector; all zero before the first vim_create_collector. What it says of the
 * size of pages is kept when the collector is created again.
 */
struct vim_collector {
	char ref[128];     /* its MoRef value; "" when there is none */
	int page_size;     /* 0: vim_options.page_size; else fewer, since a page failed */
	int64_t last_us;   /* createdTime of the last event that was read */
	int64_t failed_us; /* the same, before the page that failed */
	unsigned failures; /* of that page, in a row, with nothing of it in the reply */
};

struct vim_filter {
	int64_t begin_us, end_us; /* both inclusive; INT64_MIN / INT64_MAX: no bound */
	const char *type;         /* a class or an EventEx id; NULL: all */
	int latest;               /* events in latestPage; 0: it is not used */
};

/* What identifies an event. */
struct vim_latest {
	bool any; /* the vCenter knows a latest event */
	int32_t key;
	int64_t created_us;
};

void vim_open(struct vim **vim, struct http *http, const struct vim_options *options);

/* Ends the session (one short try) and frees everything. NULL is fine. */
void vim_close(struct vim *vim);

/* bytes of an event's data; larger ones are trimmed */
void vim_limit_event(struct vim *vim, size_t event_max);

/*
 * RetrieveServiceContent and Login, as far as they are needed. *fresh: a new session was made.
 */
int vim_connect(struct vim *vim, bool *fresh, struct err *err);
bool vim_has_session(const struct vim *vim);
void vim_logout(struct vim *vim); /* so that vim_connect makes a new session */
const struct vim_about *vim_about(const struct vim *vim);

int vim_current_time(struct vim *vim, int64_t *us, struct err *err);

/* An EventHistoryCollector over what the filter lets through. */
int vim_create_collector(struct vim *vim, const struct vim_filter *filter,
	struct vim_collector *c, struct err *err);
void vim_destroy_collector(struct vim *vim, struct vim_collector *c); /* best effort */

/*
 * The next page; *page is borrowed until the next read. *full: it has as many events as were
 * asked for. Then the page after it is asked for at once, to arrive while the caller works on
 * this one; the next vim_read_next of this collector returns it. Reading anything else, or
 * vim_destroy_collector, drops it: then the collector's position is unknown.
 *
 * page->skipped: before this page there is an event that vCenter fails to return: each call
 * with it ended in a fault or without a reply, pages before and after it did not.
 */
int vim_read_next(struct vim *vim, struct vim_collector *c, struct normalize_page *page,
	bool *full, struct err *err);

/*
 * For a caller that waits for something else: parses some of what has arrived of the next page,
 * below a millisecond's work; false: nothing.
 */
bool vim_receive(struct vim *vim);

/* Goes to before the newest events of the collector, as many as its filter's `latest`. */
int vim_reset_collector(struct vim *vim, const struct vim_collector *c, struct err *err);

/* The page before; as vim_read_next, but none is asked for ahead. page->skipped: as there. */
int vim_read_previous(
	struct vim *vim, struct vim_collector *c, struct normalize_page *page, struct err *err);

int vim_latest_event(struct vim *vim, struct vim_latest *latest, struct err *err);

/*
 * Calls fn for each of the vCenter's newest events, at most max (1..VIM_LATEST_MAX), in no
 * order: the latestPage of a collector without a filter. It is cut by key, so it shows an event
 * whatever its date. An event takes some 8 KiB; when that many are too large for a reply, fn is
 * called for fewer.
 */
enum { VIM_LATEST_MAX = 1000 };
int vim_latest_page(struct vim *vim, int max,
	void (*fn)(void *ctx, const struct vim_latest *event), void *ctx, struct err *err);

/*
 * Calls fn for each event class or EventEx id that the vCenter describes. category: "info",
 * "warning", "error", "user"; text: what such an event says, in the vCenter's language. Both
 * live during the call.
 */
struct vim_description {
	const char *name, *category, *text;
};
int vim_event_descriptions(struct vim *vim,
	void (*fn)(void *ctx, const struct vim_description *description), void *ctx,
	struct err *err);

/*
 * Which of System.View and System.Read, all that reading takes, the account lacks on the root
 * folder.
 */
struct vim_access {
	bool known;       /* this vCenter can tell */
	char missing[64]; /* "System.Read"; "" when there is nothing missing */
};

int vim_access(struct vim *vim, struct vim_access *access, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The calls of the vSphere Web Services API (vim25 over SOAP) that are necessary to read
 * events. https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/
 *
 * There is one session. vim_connect logs in only when there is none. Each call waits for its
 * reply, at most vim_options.timeout_ms, and calls status_beat while it waits. After a read has
 * failed, the position of that collector is unknown: create the collector again.
 *
 * Errors:
 * ERR_AUTH       the login was refused. Wait before the next try: accounts may be locked.
 * ERR_NOT_FOUND  the session or the collector no longer exists: vim_connect, new collector.
 * ERR_FULL       this session has the maximum number of collectors.
 * ERR_FORBIDDEN  the account lacks the privilege that the text names.
 * ERR_LIMIT      of reads only: the next pages will be smaller. Create the collector at once.
 * others         the transport failed.
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
	int page_size;      /* events of a page, 1..1000; smaller after a page failed */
	struct normalize_limits limits;
};

struct vim_about {
	char name[128], api_version[32], build[32], instance_uuid[64];
};

/*
 * An EventHistoryCollector. All members are 0 before the first vim_create_collector. page_size
 * and the members after it are kept when the collector is created again.
 */
struct vim_collector {
	char ref[128]; /* its MoRef value; "" when there is none */
	int page_size; /* 0: vim_options.page_size; otherwise smaller, because a page failed */
	int64_t last_us;   /* createdTime of the last event that was read */
	int64_t failed_us; /* the same, at the time when a page failed */
	unsigned failures; /* failures of that page in a row, without any event in the reply */
};

struct vim_filter {
	int64_t begin_us, end_us; /* both inclusive; INT64_MIN / INT64_MAX: no bound */
	const char *type;         /* a class or an EventEx id; NULL: all */
	int latest;               /* events in latestPage; 0: it is not used */
};

/* The identity of an event. */
struct vim_latest {
	bool any; /* vCenter has a latest event */
	int32_t key;
	int64_t created_us;
};

void vim_open(struct vim **vim, struct http *http, const struct vim_options *options);

/* Ends the session (one short try) and frees everything. NULL is fine. */
void vim_close(struct vim *vim);

/* bytes of an event's data; larger ones are trimmed */
void vim_limit_event(struct vim *vim, size_t event_max);

/* RetrieveServiceContent and Login when there is no session. *fresh: a new session began. */
int vim_connect(struct vim *vim, bool *fresh, struct err *err);
bool vim_has_session(const struct vim *vim);
void vim_logout(struct vim *vim); /* so that vim_connect makes a new session */
const struct vim_about *vim_about(const struct vim *vim);

int vim_current_time(struct vim *vim, int64_t *us, struct err *err);

/* Creates an EventHistoryCollector for the events that match the filter. */
int vim_create_collector(struct vim *vim, const struct vim_filter *filter,
	struct vim_collector *c, struct err *err);
void vim_destroy_collector(struct vim *vim, struct vim_collector *c); /* best effort */

/*
 * Reads the next page. *page is valid until the next read. *full: the page has as many events
 * as were requested. In that case the page after it is requested at once, and arrives while the
 * caller processes this one; the next vim_read_next of this collector returns it. Another read,
 * or vim_destroy_collector, discards it, and the position of the collector is then unknown.
 *
 * page->skipped: before this page there is an event that vCenter cannot return. Each call that
 * included it ended in a fault or without a reply; calls for the events around it did not.
 */
int vim_read_next(struct vim *vim, struct vim_collector *c, struct normalize_page *page,
	bool *full, struct err *err);

/*
 * Parses a part of the next page while the caller waits for something else. Takes less than a
 * millisecond. False: nothing has arrived.
 */
bool vim_receive(struct vim *vim);

/* Moves the collector to before its newest events; their number is vim_filter.latest. */
int vim_reset_collector(struct vim *vim, const struct vim_collector *c, struct err *err);

/* Reads the previous page. As vim_read_next, but no page is requested in advance. */
int vim_read_previous(
	struct vim *vim, struct vim_collector *c, struct normalize_page *page, struct err *err);

int vim_latest_event(struct vim *vim, struct vim_latest *latest, struct err *err);

/*
 * Calls fn for each of vCenter's newest events, at most max (1..VIM_LATEST_MAX), in no order.
 * It reads the latestPage of a collector without a filter. That page has the highest keys, so
 * it contains an event even if its date is wrong. An event takes about 8 KiB; if max events are
 * too large for a reply, fn is called for fewer.
 */
enum { VIM_LATEST_MAX = 1000 };
int vim_latest_page(struct vim *vim, int max,
	void (*fn)(void *ctx, const struct vim_latest *event), void *ctx, struct err *err);

/*
 * Calls fn for each event class and EventEx id that vCenter describes. category: "info",
 * "warning", "error" or "user". text: the description in vCenter's language. Both are valid
 * during the call of fn.
 */
struct vim_description {
	const char *name, *category, *text;
};
int vim_event_descriptions(struct vim *vim,
	void (*fn)(void *ctx, const struct vim_description *description), void *ctx,
	struct err *err);

/*
 * Which of the two necessary privileges, System.View and System.Read, the account lacks on the
 * root folder.
 */
struct vim_access {
	bool known;       /* false: this vCenter does not answer the question */
	char missing[64]; /* "System.Read"; "": nothing */
};

int vim_access(struct vim *vim, struct vim_access *access, struct err *err);

#endif

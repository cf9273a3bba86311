// SPDX-License-Identifier: Apache-2.0
/*
 * Pages of events: the SOAP replies of ReadNextEvents, ReadPreviousEvents and QueryEvents,
 * parsed once as they arrive, written as JSON as they are parsed.
 *
 *     normalizer_begin(n);
 *     for each chunk:  normalizer_feed(n, chunk, len, &err)     from libcurl's write callback
 *     normalizer_end(n, &page, &err)                            the events, or a fault
 *
 * Nothing is given out before the page is there to its last tag. The data of an event is byte
 * for byte what encoding/json makes of govmomi 0.24's struct (CamelCase names, unset members
 * written as null, "", 0, false), plus "_typeName" where the class of a member is not the one
 * it is declared with.
 *
 * A page that is complete but not well formed is repaired event by event: the good ones are as
 * they would have been, a bad one keeps what can be read of it, and only one without a key and
 * a createdTime is left out and counted. Bytes that are not UTF-8 and characters that XML
 * forbids become U+FFFD.
 *
 * An event that fills page_max is cut: the rest of it is received and not kept, and it becomes
 * a stub of the small members that came whole. So the largest event holds up no other one.
 *
 * Work and memory have bounds, whatever the page is: tests/unit/hostile_page_test.c holds a
 * list of pages against them. A page takes at most four times page_max, and some 20 times the
 * CPU time of usual events. What no vCenter sends (a tag of more than 64 KiB or 128 attributes,
 * elements too deep, too many namespaces or names) counts as not well formed: it costs the
 * event that it is in. An event keeps its first 65,536 elements.
 *
 * Memory: the page's bytes and its JSON, both bounded by the limits, kept for the next page
 * unless large.
 */
#ifndef VCOURIER_NORMALIZE_H
#define VCOURIER_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct normalizer;

struct normalize_limits { /* 0: the default */
	size_t page_max;  /* bytes of one reply, and of its events' JSON; default 32 MiB */
	/* bytes of one event's data, larger ones are trimmed; at least 16 KiB; 64 MiB */
	size_t event_max;
	size_t events_max; /* events of one page; default 10,000 (vCenter sends 1,000) */
	/* called after each 64 KiB that were parsed, for a watchdog; NULL: nothing */
	void (*on_progress)(void);
};

enum normalize_kind { NORMALIZE_EVENT, NORMALIZE_EVENTEX, NORMALIZE_EXTENDEDEVENT };

/* "event", "eventex", "extendedevent": the eventclass extension and the subject's token. */
const char *normalize_kind_name(enum normalize_kind kind);

/* One event. Strings are NUL-terminated, never NULL, good until the next normalizer_begin. */
struct normalize_event {
	const char *data; /* one JSON object; not NUL-terminated */
	size_t data_len;
	int32_t key;
	int64_t created_us;     /* createdTime, in microseconds since 1970 */
	const char *created;    /* the same as RFC 3339 text, as it stands in data */
	const char *class_name; /* as vCenter sent it: "VmPoweredOnEvent", "EventEx" */
	const char *name;       /* the id of an EventEx or ExtendedEvent, else class_name */
	enum normalize_kind kind;
	const char *severity;   /* EventEx.severity; "" when the event has none */
	const char *datacenter; /* names; "" when the event is not about one */
	const char *cluster;    /* computeResource.name */
	bool schema_unknown;    /* something in it is in no table: written schema-light */
	bool repaired;          /* its XML was damaged; some of it may be missing */
	bool trimmed;           /* larger than event_max or too deep: members were left out */
	/* cut, or trimmed to the small members of its class: key, time, little else */
	bool stub;
};

/* A SOAP fault. */
struct normalize_fault {
	const char *code;       /* faultcode: "ServerFaultCode" */
	const char *text;       /* faultstring */
	const char *class_name; /* of the detail: NotAuthenticated; "" when it has none */
};

struct normalize_page {
	const struct normalize_event *event; /* in the order of the reply */
	size_t n;
	const struct normalize_fault *fault; /* NULL when the reply is none; n is 0 then */
	const uint64_t *left_out; /* a hash of each event that is damaged beyond an identity */
	size_t n_left_out;
	size_t n_bad_chars; /* bytes and characters that became U+FFFD, in the whole page */
	bool repaired;      /* the page was not well formed */
	/*
	 * Set by vim_read.c alone: there is an event that could not be read between
	 * skipped_after_us and the page's events (createdTime); its hash is in left_out
	 */
	bool skipped;
	int64_t skipped_after_us;
	char why[160]; /* what was wrong with it, for the log; "" when nothing */
};

/* limits may be NULL: the defaults. */
void normalizer_open(struct normalizer **n, const struct normalize_limits *limits);
void normalizer_close(struct normalizer *n);

/* A new event_max, for the events that follow. */
void normalizer_limit_event(struct normalizer *n, size_t event_max);

/* Starts a reply; forgets the one before, complete or not. */
void normalizer_begin(struct normalizer *n);

/*
 * The next bytes of the reply, any number of them: the result is the same for pieces of any
 * size. -1 when the rest is not worth receiving:
 * ERR_LIMIT (the page is larger than page_max, or takes too much to repair: read smaller
 * pages), ERR_PROTOCOL (HTML, a DOCTYPE, no SOAP at all).
 */
int normalizer_feed(struct normalizer *n, const char *data, size_t len, struct err *err);

/*
 * The reply is complete. 0: *page is filled in, borrowed until the next normalizer_begin. -1:
 * ERR_PROTOCOL when the reply was cut, empty or is no SOAP reply, or what normalizer_feed said.
 * Call it once, whatever feed returned.
 */
int normalizer_end(struct normalizer *n, struct normalize_page *page, struct err *err);

bool normalizer_has_begun(const struct normalizer *n); /* the reply began as a page of events */

/*
 * After normalizer_end has failed. True when the reply began as a page of events: then *page
 * has what is left of it. The event in which it ended is a stub, or is left out when its key or
 * createdTime did not come.
 */
bool normalizer_end_partial(struct normalizer *n, struct normalize_page *page);

#endif

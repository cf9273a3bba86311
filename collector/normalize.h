// SPDX-License-Identifier: Apache-2.0
/*
 * Pages of events, the SOAP replies of ReadNextEvents, ReadPreviousEvents and QueryEvents. A
 * page is parsed while it arrives, and its JSON is written while it is parsed.
 *
 *     normalizer_begin(n);
 *     for each chunk:  normalizer_feed(n, chunk, len, &err)     from libcurl's write callback
 *     normalizer_end(n, &page, &err)                            the events, or a fault
 *
 * Events are returned only after the last tag of the page has arrived. The data of an event is
 * byte for byte the output of Go's encoding/json for govmomi 0.24's struct (CamelCase names,
 * unset members as null, "", 0, false), plus "_typeName" where the class of a member differs
 * from its declared class.
 *
 * A page that is complete but not well formed is repaired event by event. Good events do not
 * change; a damaged event keeps the parts that can be read; an event without a key or a
 * createdTime is left out and counted. Bytes that are not UTF-8 and characters that XML forbids
 * become U+FFFD.
 *
 * An event that fills page_max is cut: the rest of it is received and discarded, and the event
 * becomes a stub with its small, complete members. So a very large event does not block others.
 *
 * Work and memory are bounded for every input; tests/unit/hostile_page_test.c has a list of
 * pages that try to exceed the bounds. A page takes at most four times page_max of memory, and
 * about 20 times the CPU time of usual events. Input that no vCenter sends (a tag with more
 * than 64 KiB or 128 attributes, very deep elements, too many namespaces or names) counts as
 * not well formed and damages only the event that contains it. An event keeps its first 65,536
 * elements.
 *
 * Memory: the bytes of the page and its JSON, both bounded by the limits. Buffers are kept for
 * the next page unless they are large.
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
	/* called after each 64 KiB of parsed input, for a watchdog; may be NULL */
	void (*on_progress)(void);
};

enum normalize_kind { NORMALIZE_EVENT, NORMALIZE_EVENTEX, NORMALIZE_EXTENDEDEVENT };

/* "event", "eventex", "extendedevent": the eventclass extension and the subject's token. */
const char *normalize_kind_name(enum normalize_kind kind);

/* One event. Strings end with NUL, are never NULL, and live until the next normalizer_begin. */
struct normalize_event {
	const char *data; /* one JSON object; not NUL-terminated */
	size_t data_len;
	int32_t key;
	int64_t created_us;     /* createdTime, in microseconds since 1970 */
	const char *created;    /* the same as RFC 3339 text, as in data */
	const char *class_name; /* as vCenter sent it: "VmPoweredOnEvent", "EventEx" */
	const char *name;       /* the id of an EventEx or ExtendedEvent, else class_name */
	enum normalize_kind kind;
	const char *severity;   /* EventEx.severity; "" when the event has none */
	const char *datacenter; /* names; "" when the event has none */
	const char *cluster;    /* computeResource.name */
	bool schema_unknown; /* a part is in no type table and was written without a schema */
	bool repaired;       /* its XML was damaged; parts may be missing */
	bool trimmed;        /* larger than event_max or too deep: members were left out */
	/* cut, or reduced to the small members of its class, such as key and time */
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
	const struct normalize_fault
		*fault;           /* NULL: the reply is not a fault. Otherwise n is 0 */
	const uint64_t *left_out; /* a hash of each event without a readable key and time */
	size_t n_left_out;
	size_t n_bad_chars; /* bytes and characters that became U+FFFD, in the whole page */
	bool repaired;      /* the page was not well formed */
	/*
	 * Set only by vim_read.c: an event between skipped_after_us and the events of this page
	 * (createdTime) could not be read. Its hash is in left_out.
	 */
	bool skipped;
	int64_t skipped_after_us;
	char why[160]; /* the fault in the XML, for the log; "": none */
};

/* limits: NULL means the defaults. */
void normalizer_open(struct normalizer **n, const struct normalize_limits *limits);
void normalizer_close(struct normalizer *n);

/* Changes event_max for the next events. */
void normalizer_limit_event(struct normalizer *n, size_t event_max);

/* Starts a reply and discards the previous one, complete or not. */
void normalizer_begin(struct normalizer *n);
/* Frees the memory that the last reply took. Its page is gone; normalizer_begin is next. */
void normalizer_release(struct normalizer *n);
/*
 * Gives `to` the memory in which `from` has received a reply. Call it after normalizer_end of
 * `from`, whose page stays valid, and before normalizer_begin of `to`, which has the same
 * limits.
 */
void normalizer_pass_on(struct normalizer *from, struct normalizer *to);

/*
 * Takes the next bytes of the reply. The sizes of the pieces do not change the result. -1: the
 * rest of the reply is useless. ERR_LIMIT: the page is larger than page_max, or its repair
 * takes too long; read smaller pages. ERR_PROTOCOL: HTML, a DOCTYPE, or not SOAP.
 */
int normalizer_feed(struct normalizer *n, const char *data, size_t len, struct err *err);

/*
 * Ends the reply. 0: *page is filled in and valid until the next normalizer_begin. -1:
 * ERR_PROTOCOL when the reply was cut, empty or not SOAP, or the error of normalizer_feed. Call
 * it once for each reply, also after normalizer_feed failed.
 */
int normalizer_end(struct normalizer *n, struct normalize_page *page, struct err *err);

bool normalizer_has_begun(const struct normalizer *n); /* the reply began as a page of events */

/*
 * For use after normalizer_end has failed. True: the reply began as a page of events, and *page
 * has the events that arrived. The event in which the reply ended becomes a stub; without a key
 * and a createdTime it is left out.
 */
bool normalizer_end_partial(struct normalizer *n, struct normalize_page *page);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Shared by the files of the normalizer. A file calls only files that come later in this list:
 * normalize.c (pages), normalize_repair.c, normalize_skip.c, normalize_parse.c (libxml2),
 * normalize_events.c.
 */
#ifndef VCOURIER_NORMALIZE_INTERNAL_H
#define VCOURIER_NORMALIZE_INTERNAL_H

#include <libxml/parser.h>

#include "buf.h"
#include "event_writer.h"
#include "normalize.h"
#include "xmltext.h"

enum {
	NAMESPACES_MAX = 64,
	NAMES_MAX = 4096,   /* slots of the element name cache; a power of two */
	EVENTS_CUT_MAX = 4, /* cut events of one page; a page with more is too large */
	/* bytes kept of a cut event, in which its small members are searched */
	NORMALIZE_CUT_KEPT = 256 * 1024,
	NORMALIZE_BLOCK = 16 * 1024, /* bytes that are processed at once */
	SKIP_TAIL = 256,             /* bytes kept to find an end tag that arrives in pieces */
};

/*
 * State of normalize_skip.c: where events begin in raw, and the event that is too large for
 * raw. Its bytes are searched for its end tag and discarded.
 */
struct normalize_skip {
	size_t event_at; /* offset in raw of the last event, or of the text after that event */
	size_t searched; /* raw has been searched for events up to this offset */
	bool in_event;   /* an event begins at event_at */
	bool active;     /* the arriving bytes belong to a cut event */
	size_t cut_at[EVENTS_CUT_MAX]; /* offsets in raw of the cut events */
	size_t n_cut;
	size_t tail_len; /* the last of the skipped bytes */
	char tail[SKIP_TAIL];
	uint64_t bytes; /* number of skipped bytes of this page */
};

struct xml_namespace {
	const char *prefix, *uri; /* owned by libxml2; the prefix "" is the default namespace */
	size_t depth;
};

/* An element name, interned by libxml2, with its entry in the type table. */
struct xml_name {
	const char *text;
	uint16_t id, len;
};

enum page_part { PART_NONE, PART_EVENTS, PART_FAULT };

struct normalizer {
	struct normalize_limits limits;
	struct event_writer writer;

	/* the bytes */
	struct buf raw, scratch;
	size_t parsed;               /* of raw */
	char block[NORMALIZE_BLOCK]; /* bytes that have arrived and are not in raw yet */
	size_t block_len;
	struct xmltext_tags tags; /* of raw */
	struct normalize_skip skip;

	/* the parser */
	xmlParserCtxtPtr ctxt;
	struct xml_namespace namespace[NAMESPACES_MAX];
	size_t n_namespaces, depth;
	struct xml_name name[NAMES_MAX];
	size_t n_names;
	const xmlChar *type, *xsi; /* interned: "type" and the namespace of xsi:type */
	enum page_part part;
	bool in_body, in_event, page_done; /* page_done: the envelope has ended */
	bool stopped;                      /* by this program; `err` has the reason */
	bool malformed; /* for libxml2, or by a bound; `page.why` has the reason */
	bool repairing; /* single events of a malformed page are being parsed */
	bool partial;   /* the page has no end, and the events that arrived are used */
	size_t repaired_bytes, n_errors; /* during repair: parsed bytes, errors in them */
	struct err err;

	/* the result */
	struct event_facts *facts;
	struct normalize_event *event;
	size_t n, cap, n_seen; /* n_seen: events that have ended, kept or not */
	struct normalize_page page;
	uint64_t *left_out; /* the array of page.left_out */
	size_t left_out_cap;
	struct normalize_fault fault;
	struct buf fault_code, fault_text;
	struct buf *fault_part; /* which of them is open, or NULL */
	char fault_class[128];
};

/*
 * Cuts the last event when raw is full and that event takes more than half of it. True: it was
 * cut, and raw ends with its beginning.
 */
bool normalize_skip_begin(struct normalizer *n);

/*
 * Takes bytes of the cut event. Returns the bytes after the event, which are in n->scratch, and
 * sets *len to their number. NULL: the event has not ended.
 */
const char *normalize_skip(struct normalizer *n, const char *data, size_t *len);

/* Whether the event at s in raw was cut. */
bool normalize_skip_has_cut(const struct normalizer *n, const char *s);

/* Prepares the parser for a new document. */
void normalize_parse_begin(struct normalizer *n, bool recover);

/*
 * Parses the next bytes. `last`: the document ends with them. False: it is malformed, or the
 * parser was stopped.
 */
bool normalize_parse(struct normalizer *n, const char *s, size_t len, bool last);

void normalize_parse_free(struct normalizer *n);

/*
 * A bound is exceeded. This counts as not well formed, and ends the parsing of this document.
 */
void normalize_over(struct normalizer *n, const char *what);

/*
 * Parses the events of a malformed page one by one, beginning with the first that did not end.
 * -1 with ERR_LIMIT: the repair takes too long; this never happens to a page of one event.
 */
int normalize_repair(struct normalizer *n, struct err *err);

/* The current event is complete. Keeps it, or leaves it out. */
void normalize_event_done(struct normalizer *n);

/*
 * Counts an event without an identity. The hash of these bytes is the same when the event is
 * read again.
 */
void normalize_leave_out(struct normalizer *n, const char *s, size_t len);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Shared by the files of the normalizer only. Calls run down: normalize.c
 * (pages), normalize_repair.c, normalize_skip.c, normalize_parse.c (libxml2),
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
	EVENTS_CUT_MAX = 4, /* of one page; with more it is too large */
	/* bytes kept of an event that is cut: in them its small members are looked for */
	NORMALIZE_CUT_KEPT = 256 * 1024,
	NORMALIZE_BLOCK = 16 * 1024, /* bytes that are taken at once */
	SKIP_TAIL = 256, /* bytes in which an end tag is found that comes in pieces */
};

/*
 * normalize_skip.c: where events begin in raw, and the end of one that is too large for it. Its
 * bytes are searched for its end tag and not kept.
 */
struct normalize_skip {
	size_t event_at; /* offset in raw of the last event, or of the text after it */
	size_t searched; /* raw was searched for events up to here */
	bool in_event;   /* an event begins at event_at */
	bool active;     /* what arrives is the rest of an event that was cut */
	size_t cut_at[EVENTS_CUT_MAX]; /* where in raw the events begin that were cut */
	size_t n_cut;
	size_t tail_len; /* the last bytes of what was skipped */
	char tail[SKIP_TAIL];
	uint64_t bytes; /* skipped of this page */
};

struct xml_namespace {
	const char *prefix, *uri; /* libxml2's; prefix "" is the default */
	size_t depth;
};

/* An element name as libxml2 interned it, and what the type table says of it. */
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
	char block[NORMALIZE_BLOCK]; /* arrived, and not yet in raw */
	size_t block_len;
	struct xmltext_tags tags; /* of raw */
	struct normalize_skip skip;

	/* the parser */
	xmlParserCtxtPtr ctxt;
	struct xml_namespace namespace[NAMESPACES_MAX];
	size_t n_namespaces, depth;
	struct xml_name name[NAMES_MAX];
	size_t n_names;
	const xmlChar *type, *xsi; /* "type" and the namespace of xsi:type, interned */
	enum page_part part;
	bool in_body, in_event, page_done; /* page_done: the envelope was closed */
	bool stopped;                      /* by us: `err` says why */
	bool malformed;                    /* says libxml2, or a bound: `page.why` says how */
	bool repairing; /* an event of a malformed page is parsed by itself */
	bool partial;   /* the page has no end, and is wanted as far as it came */
	size_t repaired_bytes,
		n_errors; /* while repairing: given to the parser, found by it in recovery */
	struct err err;

	/* the result */
	struct event_facts *facts;
	struct normalize_event *event;
	size_t n, cap, n_seen; /* n_seen: events that were closed, kept or not */
	struct normalize_page page;
	uint64_t *left_out; /* what page.left_out points to */
	size_t left_out_cap;
	struct normalize_fault fault;
	struct buf fault_code, fault_text;
	struct buf *fault_part; /* of those the one that is open, or NULL */
	char fault_class[128];
};

/*
 * True: there is no room in raw, since its last event takes more than half of it; the event was
 * cut, and raw ends in it.
 */
bool normalize_skip_begin(struct normalizer *n);

/*
 * Takes bytes of the event that was cut. Returns those that are behind it and moves *len to
 * their number; NULL: none. What is returned is in n->scratch.
 */
const char *normalize_skip(struct normalizer *n, const char *data, size_t *len);

/* Whether the event that begins at s in raw was cut. */
bool normalize_skip_has_cut(const struct normalizer *n, const char *s);

/* Makes the parser ready for a new document. */
void normalize_parse_begin(struct normalizer *n, bool recover);

/* The next bytes; `last` ends the document. False when it is malformed or we stopped it. */
bool normalize_parse(struct normalizer *n, const char *s, size_t len, bool last);

void normalize_parse_free(struct normalizer *n);

/*
 * Something exceeds a bound: the same as not well formed. The parser takes no more of this
 * document.
 */
void normalize_over(struct normalizer *n, const char *what);

/*
 * Takes the events of a whole page that is malformed, from the first that was not closed. -1:
 * ERR_LIMIT, it takes too much; never for a page of one event.
 */
int normalize_repair(struct normalizer *n, struct err *err);

/* The event that is open, or was just closed, is complete: keep it, or leave it out. */
void normalize_event_done(struct normalizer *n);

/*
 * An event that nothing identifies, by these bytes: the hash is the same when it is read
 * again.
 */
void normalize_leave_out(struct normalizer *n, const char *s, size_t len);

#endif

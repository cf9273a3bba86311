// SPDX-License-Identifier: Apache-2.0
/* Drives libxml2's push parser and the event writer: SOAP envelope, faults, namespaces. */
#define _GNU_SOURCE /* memrchr */
#include "normalize_internal.h"

#include <libxml/xmlerror.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XSI "http://www.w3.org/2001/XMLSchema-instance"
#define XSD "http://www.w3.org/2001/XMLSchema"

enum {
	PIECE = 64 * 1024, /* bytes given to libxml2 at once; it searches ahead in them */
	REPAIR_PIECE = 32 * 1024, /* of a damaged event; its errors are counted after each */
	/*
	 * libxml2 searches all current namespaces for each tag. Its dictionary of names has at
	 * most 16,384 buckets, so more names make long chains. A page of a real vCenter has 3
	 * namespaces and about 300 names.
	 */
	NAMESPACES_IN_FORCE_MAX = 512,
	DEPTH_MAX = 4096, /* libxml2's stack takes about 40 bytes for each open element */
	DICTIONARY_MAX = 128 * 1024,
	DICTIONARY_BYTES_KEPT = 256 * 1024,
	EVENT_ERRORS_MAX = 10000,
};

static void
stop(struct normalizer *n, enum err_code code, const char *text, const char *what)
{
	n->stopped = true;
	err_set(&n->err, code, text, what);
	xmlStopParser(n->ctxt);
}

/* ---- names and namespaces ---- */

/* libxml2 interns names: while its dictionary exists, equal names are equal pointers. */
static inline void
read_name(struct normalizer *n, const char *text, struct start_tag *tag)
{
	size_t i = ((uintptr_t)text >> 2) * UINT64_C(0x9e3779b97f4a7c15) >>
		52; /* 12 bits: NAMES_MAX */

	tag->name = text;
	for (; n->name[i].text != NULL; i = (i + 1) % NAMES_MAX) {
		if (n->name[i].text == text) {
			tag->name_len = n->name[i].len;
			tag->name_id = n->name[i].id;
			return;
		}
	}
	tag->name_len = strlen(text);
	tag->name_id = schema_find_name(text, tag->name_len);
	if (n->n_names < NAMES_MAX / 2 && tag->name_len < UINT16_MAX) {
		n->name[i] = (struct xml_name){ text, tag->name_id, (uint16_t)tag->name_len };
		n->n_names++;
	}
}

static void
push_namespaces(struct normalizer *n, int count, const xmlChar **ns)
{
	for (int i = 0; i < count && n->n_namespaces < NAMESPACES_MAX; i++) {
		n->namespace[n->n_namespaces++] = (struct xml_namespace){
			ns[2 * i] == NULL ? "" : (const char *)ns[2 * i],
			ns[2 * i + 1] == NULL ? "" : (const char *)ns[2 * i + 1],
			n->depth,
		};
	}
}

static void
pop_namespaces(struct normalizer *n)
{
	while (n->n_namespaces != 0 && n->namespace[n->n_namespaces - 1].depth >= n->depth)
		n->n_namespaces--;
}

/*
 * Whether a prefix in an xsi:type value means XML Schema. "xsd" means it also without a
 * declaration.
 */
static bool
is_xsd(const struct normalizer *n, const char *prefix, size_t len)
{
	for (size_t i = n->n_namespaces; i-- > 0;) {
		const struct xml_namespace *ns = &n->namespace[i];

		if (strncmp(ns->prefix, prefix, len) == 0 && ns->prefix[len] == '\0')
			return strcmp(ns->uri, XSD) == 0;
	}
	return len == 3 && memcmp(prefix, "xsd", 3) == 0;
}

/* "xsi" is also accepted without a declaration. */
static bool
is_xsi(struct normalizer *n, const xmlChar **attribute)
{
	if (attribute[2] == NULL)
		return strcmp((const char *)attribute[1], "xsi") == 0;
	if (attribute[2] != n->xsi && strcmp((const char *)attribute[2], XSI) == 0)
		n->xsi = attribute[2];
	return attribute[2] == n->xsi;
}

/*
 * libxml2 passes each attribute as five pointers: name, prefix, namespace, value, end of the
 * value.
 */
static void
read_attributes(
	struct normalizer *n, struct start_tag *tag, int count, const xmlChar **attribute)
{
	for (; count > 0; count--, attribute += 5) {
		const char *value = (const char *)attribute[3], *colon;
		size_t len = (size_t)(attribute[4] - attribute[3]);

		if (attribute[0] != n->type) {
			if (strcmp((const char *)attribute[0], "type") != 0)
				continue;
			n->type = attribute[0];
		}
		if (attribute[1] == NULL) {
			tag->moref = value;
			tag->moref_len = len;
		} else if (is_xsi(n, attribute) && len != 0) {
			colon = memchr(value, ':', len);
			if (colon == value + len - 1)
				continue;
			tag->xsd = colon != NULL && is_xsd(n, value, (size_t)(colon - value));
			tag->type = colon == NULL ? value : colon + 1;
			tag->type_len = len - (size_t)(tag->type - value);
		}
	}
}

/* ---- the envelope ---- */

static void
start_body(struct normalizer *n, const char *name)
{
	static const char *const pages[] = { "ReadNextEventsResponse",
		"ReadPreviousEventsResponse", "QueryEventsResponse" };

	if (strcmp(name, "Fault") == 0) {
		n->part = PART_FAULT;
		return;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(name, pages[i]) == 0)
			n->part = PART_EVENTS;
	}
	if (n->part == PART_NONE)
		stop(n, ERR_PROTOCOL, "the reply is a <%.60s>, no page of events", name);
}

static void
start_event(struct normalizer *n, const struct start_tag *tag)
{
	if (n->n == n->limits.events_max) {
		stop(n, ERR_LIMIT, "%s", "the page has too many events");
		return;
	}
	event_writer_begin(&n->writer, tag);
	n->in_event = true;
}

/* The class of a fault is the xsi:type of its detail, or the element's name without "Fault". */
static void
start_fault_detail(struct normalizer *n, const struct start_tag *tag)
{
	const char *class = tag->type == NULL ? tag->name : tag->type;
	size_t len = tag->type == NULL ? tag->name_len : tag->type_len;

	if (tag->type == NULL && len > 5 && memcmp(class + len - 5, "Fault", 5) == 0)
		len -= 5;
	if (len >= sizeof(n->fault_class))
		len = sizeof(n->fault_class) - 1;
	memcpy(n->fault_class, class, len);
	n->fault_class[len] = '\0';
}

static void
start_outside(struct normalizer *n, const struct start_tag *tag)
{
	if (n->depth == 1) {
		if (strcmp(tag->name, "Envelope") != 0)
			stop(n, ERR_PROTOCOL, "the reply is no SOAP envelope but <%.60s>",
				tag->name);
	} else if (n->depth == 2) {
		n->in_body = strcmp(tag->name, "Body") == 0;
	} else if (n->depth == 3 && n->in_body && n->part == PART_NONE) {
		start_body(n, tag->name);
	} else if (n->depth == 4 && n->part == PART_EVENTS &&
		strcmp(tag->name, "returnval") == 0) {
		start_event(n, tag);
	} else if (n->depth == 4 && n->part == PART_FAULT) {
		n->fault_part = strcmp(tag->name, "faultcode") == 0 ? &n->fault_code
			: strcmp(tag->name, "faultstring") == 0     ? &n->fault_text
								    : NULL;
	} else if (n->depth == 5 && n->part == PART_FAULT && n->fault_class[0] == '\0') {
		start_fault_detail(n, tag);
	}
}

/* ---- libxml2's callbacks ---- */

static void
on_start(void *ctx, const xmlChar *local_name, const xmlChar *prefix, const xmlChar *uri,
	int n_ns, const xmlChar **ns, int n_attributes, int n_defaulted,
	const xmlChar **attributes)
{
	struct normalizer *n = ctx;
	struct start_tag tag = { 0 };

	(void)prefix;
	(void)uri;
	(void)n_defaulted;
	if (n->stopped || n->malformed)
		return;
	if (n->ctxt->nsNr > NAMESPACES_IN_FORCE_MAX || n->depth == DEPTH_MAX) {
		normalize_over(n, "too many elements or namespaces in each other");
		return;
	}
	n->depth++;
	read_name(n, (const char *)local_name, &tag);
	if (n_ns != 0)
		push_namespaces(n, n_ns, ns);
	if (n_attributes != 0)
		read_attributes(n, &tag, n_attributes, attributes);
	if (n->in_event)
		event_writer_start(&n->writer, &tag);
	else
		start_outside(n, &tag);
}

static void
on_end(void *ctx, const xmlChar *local_name, const xmlChar *prefix, const xmlChar *uri)
{
	struct normalizer *n = ctx;

	(void)local_name;
	(void)prefix;
	(void)uri;
	if (n->stopped || n->malformed || n->depth == 0)
		return;
	if (!n->in_event)
		n->fault_part = NULL;
	else if (event_writer_end(&n->writer))
		normalize_event_done(n);
	if (n->n_namespaces != 0 && n->namespace[n->n_namespaces - 1].depth >= n->depth)
		pop_namespaces(n);
	if (--n->depth == 0)
		n->page_done = true;
}

static void
on_text(void *ctx, const xmlChar *text, int len)
{
	struct normalizer *n = ctx;

	if (n->in_event)
		event_writer_text(&n->writer, (const char *)text, (size_t)len);
	else if (n->fault_part != NULL)
		buf_add(n->fault_part, text, (size_t)len);
}

/* Called before any entity can be declared. */
static void
on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct normalizer *n = ctx;
	bool html = name != NULL && xmlStrcasecmp(name, (const xmlChar *)"html") == 0;

	(void)external;
	(void)system;
	stop(n, ERR_PROTOCOL, "%s",
		html ? "the reply is an HTML page, no SOAP" : "the reply has a DOCTYPE");
}

static void
on_error(void *ctx, xmlErrorPtr error)
{
	struct normalizer *n = ctx;

	(void)error;
	n->n_errors++;
}

static void
open_parser(struct normalizer *n)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype,
		.serror = on_error,
	};

	n->ctxt = xmlCreatePushParserCtxt(&sax, n, NULL, 0, NULL);
	if (n->ctxt == NULL)
		abort(); /* out of memory, see mem.h */
	memset(n->name, 0, sizeof(n->name));
	n->n_names = 0;
	n->type = n->xsi = NULL;
}

void
normalize_parse_free(struct normalizer *n)
{
	xmlFreeParserCtxt(n->ctxt);
	n->ctxt = NULL;
}

void
normalize_parse_begin(struct normalizer *n, bool recover)
{
	/* NOENT decodes & in attributes; on_doctype ensures that no entities are declared */
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
		XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT;

	/* the dictionary only grows, and accepts no names beyond 10 MB */
	if (n->ctxt != NULL &&
		(xmlDictSize(n->ctxt->dict) >= NAMES_MAX / 2 ||
			xmlDictGetUsage(n->ctxt->dict) > DICTIONARY_BYTES_KEPT))
		normalize_parse_free(n);
	if (n->ctxt == NULL)
		open_parser(n);
	else
		xmlCtxtResetPush(n->ctxt, NULL, 0, NULL, NULL);
	xmlCtxtUseOptions(n->ctxt, options | (recover ? XML_PARSE_RECOVER : 0));
	n->depth = n->n_namespaces = 0;
	n->part = PART_NONE;
	n->in_body = n->in_event = n->page_done = n->stopped = n->malformed = false;
	n->fault_part = NULL;
}

static void
note_error(struct normalizer *n)
{
	const xmlError *error = xmlCtxtGetLastError(n->ctxt);
	const char *text = error == NULL || error->message == NULL ? "not well formed"
								   : error->message;

	n->malformed = true;
	if (n->page.why[0] == '\0')
		snprintf(n->page.why, sizeof(n->page.why), "line %d: %.*s",
			error == NULL ? 0 : error->line, (int)strcspn(text, "\n"), text);
}

void
normalize_over(struct normalizer *n, const char *what)
{
	n->malformed = true;
	if (n->page.why[0] == '\0')
		snprintf(n->page.why, sizeof(n->page.why), "%s", what);
	xmlStopParser(n->ctxt);
}

bool
normalize_parse(struct normalizer *n, const char *s, size_t len, bool last)
{
	size_t piece_max = n->ctxt->recovery == 0 ? PIECE : REPAIR_PIECE, errors = n->n_errors,
	       text = 0;

	while (!n->stopped && !n->malformed) {
		size_t piece = len < piece_max + text / 4 ? len : piece_max + text / 4;

		text = memrchr(s, '<', piece) == NULL ? text + piece
						      : 0;       /* see normalizer_feed */
		while (piece < len && (s[piece] & 0xc0) == 0x80) /* whole characters */
			piece--;
		len -= piece;
		xmlParseChunk(n->ctxt, s, (int)piece, last && len == 0 ? 1 : 0);
		s += piece;
		n->limits.on_progress();
		/*
		 * disableSAX without an error: libxml2 has reached a limit and does not report
		 * it
		 */
		if (!n->stopped && n->ctxt->recovery == 0 &&
			(n->ctxt->wellFormed == 0 || n->ctxt->disableSAX != 0))
			note_error(n);
		if (!n->stopped && !n->malformed && xmlDictSize(n->ctxt->dict) > DICTIONARY_MAX)
			normalize_over(n, "too many names");
		if (!n->stopped && !n->malformed && n->n_errors - errors > EVENT_ERRORS_MAX)
			normalize_over(n, "too many errors");
		if (len == 0)
			break;
	}
	return !n->stopped && !n->malformed;
}

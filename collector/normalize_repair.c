// SPDX-License-Identifier: Apache-2.0
/*
 * Repairs a page that is not well formed or exceeds a bound: its events are parsed one by one.
 */
#define _GNU_SOURCE /* memrchr */
#include "normalize_internal.h"

#include <stdio.h>
#include <string.h>

#include "soap.h"

enum {
	NAMESPACE_MAX = 64, /* bytes of a prefix or URI; each event declares it again */
	/*
	 * The bound of the repair's work, in addition to the bytes of the page, if it has more
	 * than one event.
	 */
	REPAIR_BYTES_RATIO = 4,
	REPAIR_BYTES_FREE = 256 * 1024,
	REPAIR_ERRORS_MAX = 50000,
};

/* A long namespace is cut; no namespace that this program compares is long. */
static void
add_namespace(struct buf *out, const struct xml_namespace *ns)
{
	char uri[NAMESPACE_MAX + 1];

	snprintf(uri, sizeof(uri), "%s", ns->uri);
	buf_printf(out, " xmlns%s%s=\"", ns->prefix[0] == '\0' ? "" : ":", ns->prefix);
	soap_add_escaped(out, uri);
	buf_add_char(out, '"');
}

/* An envelope with the namespaces that are current at the position of the events. */
static void
add_prologue(struct normalizer *n, struct buf *out)
{
	buf_add_str(out, "<Envelope");
	for (size_t i = 0; i < n->n_namespaces; i++) {
		const struct xml_namespace *ns = &n->namespace[i];
		bool hidden = ns->depth > 3 || strlen(ns->prefix) > NAMESPACE_MAX;

		for (size_t k = i + 1; k < n->n_namespaces; k++)
			hidden |= n->namespace[k].depth <= 3 &&
				strcmp(ns->prefix, n->namespace[k].prefix) == 0;
		if (!hidden)
			add_namespace(out, ns);
	}
	buf_add_str(out, "><Body><QueryEventsResponse>");
}

/* Parses the document in scratch. True: it had exactly one event. */
static bool
parse_event(struct normalizer *n, bool recover)
{
	size_t seen = n->n_seen;

	normalize_parse_begin(n, recover);
	n->repaired_bytes += n->scratch.len;
	normalize_parse(n, n->scratch.data, n->scratch.len, true);
	if (n->in_event && recover) {
		event_writer_close(&n->writer);
		normalize_event_done(n);
	} else if (n->in_event) {
		event_writer_drop(&n->writer);
		n->in_event = false;
	}
	return n->n_seen == seen + 1 && (recover || !n->malformed);
}

/*
 * Builds a document with one event in scratch, after the prologue. False: only the beginning of
 * the event fits.
 */
static bool
add_event(struct normalizer *n, const char *s, size_t len)
{
	static const char end[] = "</QueryEventsResponse></Body></Envelope>";
	struct xmltext_tags tags = { 0 };
	size_t fits = xmltext_check_tags(&tags, s, len) ? len : tags.open;
	size_t room = n->scratch.max - n->scratch.len - sizeof(end);

	while (fits > room ||
		(fits < len && fits != 0 && (s[fits] & 0xc0) == 0x80)) /* whole characters */
		fits = fits > room ? room : fits - 1;
	n->repairing = xmltext_scrub_references(&n->scratch, s, fits, &n->page.n_bad_chars);
	if (!buf_ok(&n->scratch)) { /* escaped, only a part fits */
		n->scratch.overflow = false;
		fits = 0;
	}
	buf_add(&n->scratch, end, sizeof(end) - 1);
	n->scratch.overflow = false;
	return fits == len;
}

/*
 * Returns the end of the last end tag in [s, end), which is a cut event, so that an incomplete
 * member at its end is not used.
 */
static const char *
whole_members(const char *s, const char *end)
{
	const char *p, *behind;

	if (end - s > NORMALIZE_CUT_KEPT)
		end = s + NORMALIZE_CUT_KEPT;
	for (p = end; (p = memrchr(s, '<', (size_t)(p - s))) != NULL;) {
		behind = memchr(p, '>', (size_t)(end - p));
		if (p[1] == '/' && behind != NULL)
			return behind + 1;
	}
	return s;
}

/* s[0..len): from the start tag of an event to the next one. */
static void
repair_event(struct normalizer *n, size_t prologue, const char *s, size_t len)
{
	const char *end = s + len, *close = s, *p = s, *known;
	size_t kept = n->n, seen = n->n_seen;

	while ((p = xmltext_find_tag(p, end, "returnval", true)) != NULL)
		close = p++;
	if (close != s && (p = memchr(close, '>', (size_t)(end - close))) != NULL)
		end = p + 1;
	known = end;
	n->writer.cut = normalize_skip_has_cut(n, s) || (n->partial && close == s);
	if (n->writer.cut)
		known = whole_members(s, close == s ? end : close);
	buf_truncate(&n->scratch, prologue);
	if (add_event(n, s, (size_t)(known - s)) &&
		(parse_event(n, false) || n->n_seen != seen))
		goto done;
	n->repairing = true;
	if (!parse_event(n, true) && n->n_seen == seen)
		normalize_leave_out(n, s, (size_t)(end - s));
done:
	n->writer.cut = false;
	n->n_seen = seen + 1;
	if (n->n > kept + 1)
		n->n = kept + 1;
}

static bool
is_exhausted(const struct normalizer *n)
{
	return n->n_errors > REPAIR_ERRORS_MAX ||
		n->repaired_bytes > REPAIR_BYTES_RATIO * n->raw.len + REPAIR_BYTES_FREE;
}

int
normalize_repair(struct normalizer *n, struct err *err)
{
	const char *end = n->raw.data + n->raw.len, *p = n->raw.data, *next;
	size_t prologue;

	n->page.repaired = true;
	n->n_errors = 0;
	if (n->in_event)
		event_writer_drop(&n->writer);
	buf_clear(&n->scratch);
	add_prologue(n, &n->scratch);
	prologue = n->scratch.len;
	p = xmltext_find_tag(p, end, "returnval", false);
	for (size_t skip = n->n_seen; p != NULL && skip != 0; skip--)
		p = xmltext_find_tag(p + 1, end, "returnval", false);
	for (; p != NULL && n->n_seen < n->limits.events_max; p = next) {
		if (is_exhausted(n))
			return err_set(err, ERR_LIMIT, "the page takes too much to repair: %s",
				n->page.why);
		next = xmltext_find_tag(p + 1, end, "returnval", false);
		repair_event(n, prologue, p, (size_t)((next == NULL ? end : next) - p));
	}
	n->stopped = false;
	return 0;
}

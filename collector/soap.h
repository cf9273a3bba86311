// SPDX-License-Identifier: Apache-2.0
/*
 * Small SOAP replies as a tree: RetrieveServiceContent, Login, CreateCollectorForEvents,
 * CurrentTime, RetrievePropertiesEx. Pages of events are parsed by normalize.h.
 *
 *     soap_parse(&reply, body, len, &err)
 *     soap_fault(reply)                                     NULL, or the fault in the reply
 *     soap_text(soap_body(reply), "returnval/about/apiVersion")
 *
 * Elements are found by their local name; the prefix does not matter. Nodes and texts live as
 * long as the reply.
 */
#ifndef VCOURIER_SOAP_H
#define VCOURIER_SOAP_H

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "normalize.h"

struct soap_reply;
struct soap_node;

/*
 * Bounds of a reply: its bytes, and the sum of its elements, attributes and namespaces. Each of
 * these takes up to 270 bytes in the tree. The largest replies of a real vCenter are about 2 MB
 * and 30,000 (the event descriptions), or 5 MB and 60,000 (a latestPage of 1,000 events).
 */
enum { SOAP_REPLY_MAX = 16 * 1024 * 1024, SOAP_NODES_MAX = 200000 };

/*
 * Parses a reply. On success *reply belongs to the caller (soap_free). -1 with ERR_PROTOCOL:
 * the text is not well formed, is not a SOAP envelope, has a DOCTYPE, or is nested deeper than
 * libxml2's 256 levels. -1 with ERR_LIMIT: it exceeds a bound above or one of xmltext.h. `data`
 * is not used after the call.
 */
int soap_parse(struct soap_reply **reply, const char *data, size_t len, struct err *err);
/* The same for the beginning of a reply: open elements end where the data ends. */
int soap_parse_head(struct soap_reply **reply, const char *data, size_t len, struct err *err);

/*
 * The same for a long list: fn is called for each element `name` in an element `parent`, in
 * their order, and the tree does not keep them. So a list takes the memory of one item. The
 * calls begin when all of the reply is known to be correct.
 */
struct soap_items {
	const char *parent, *name; /* local names */
	void (*fn)(void *ctx, const struct soap_node *item);
	void *ctx;
};
int soap_parse_items(struct soap_reply **reply, const struct soap_items *items,
	const char *data, size_t len, struct err *err);

void soap_free(struct soap_reply *reply); /* NULL is fine */

/*
 * The same for a document that is not SOAP. Its root element must have the name `root`;
 * soap_body returns that element. err may be NULL.
 */
int soap_parse_document(struct soap_reply **reply, const char *root, const char *data,
	size_t len, struct err *err);

const struct normalize_fault *soap_fault(
	const struct soap_reply *reply); /* NULL: the reply is not a fault */

/* The <XyzResponse> element, or the <Fault>. Never NULL. */
const struct soap_node *soap_body(const struct soap_reply *reply);

/*
 * The first element at a path of local names below node ("returnval/about"). NULL: no such
 * element.
 */
const struct soap_node *soap_get(const struct soap_node *node, const char *path);

/* The next sibling with the same name; NULL after the last one. */
const struct soap_node *soap_next(const struct soap_node *node);

/*
 * The text of the element at a path; the path "" means the node itself. Returns "" when there
 * is no such element, or node is NULL.
 */
const char *soap_text(const struct soap_node *node, const char *path);

/*
 * The unqualified `type` attribute of a MoRef, and the local part of xsi:type; "" when there
 * is none.
 */
const char *soap_moref_type(const struct soap_node *node);
const char *soap_type(const struct soap_node *node);

/*
 * Appends text with & < > " and ' escaped, for requests. Characters that XML forbids become
 * U+FFFD.
 */
void soap_add_escaped(struct buf *out, const char *text);

#endif

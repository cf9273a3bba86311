// SPDX-License-Identifier: Apache-2.0
/*
 * Small SOAP replies as a tree: RetrieveServiceContent, Login, CreateCollectorForEvents,
 * CurrentTime, RetrievePropertiesEx. (Pages of events are the normalizer's: normalize.h.)
 *
 *     soap_parse(&reply, body, len, &err)
 *     soap_fault(reply)                                     NULL, or what the vCenter refused
 *     soap_text(soap_body(reply), "returnval/about/apiVersion")
 *
 * Elements are named by their local name, whatever their prefix. Nodes and texts belong to the
 * reply.
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
 * Bytes, and elements, attributes and namespaces together, of which a tree takes up to 270
 * bytes each. The largest reply of a real vCenter: some 2 MB and 30,000 for the event
 * descriptions, or 5 MB and 60,000 for a latestPage of 1,000 events.
 */
enum { SOAP_REPLY_MAX = 16 * 1024 * 1024, SOAP_NODES_MAX = 200000 };

/*
 * ERR_PROTOCOL: not well formed, no SOAP envelope, a DOCTYPE, nested deeper than libxml2's 256
 * levels. ERR_LIMIT: exceeds a bound above or those of xmltext.h. data is not used after the
 * call.
 */
int soap_parse(struct soap_reply **reply, const char *data, size_t len, struct err *err);
/* The same for the beginning of a reply: elements without an end tag end where it does. */
int soap_parse_head(struct soap_reply **reply, const char *data, size_t len, struct err *err);
void soap_free(struct soap_reply *reply); /* NULL is fine */

/*
 * The same for a document that is no SOAP: its root element, which has this name, is soap_body.
 * err may be NULL.
 */
int soap_parse_document(struct soap_reply **reply, const char *root, const char *data,
	size_t len, struct err *err);

const struct normalize_fault *soap_fault(
	const struct soap_reply *reply); /* NULL: the reply is no fault */

/* The <XyzResponse> element, or the <Fault>. Never NULL. */
const struct soap_node *soap_body(const struct soap_reply *reply);

/*
 * The first element at a path of local names below node ("returnval/about"); NULL when there
 * is none.
 */
const struct soap_node *soap_get(const struct soap_node *node, const char *path);

/* The next sibling of the same name; NULL behind the last. */
const struct soap_node *soap_next(const struct soap_node *node);

/*
 * The text of the element at a path ("" for the node itself); "" when there is none. node may
 * be NULL.
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

// SPDX-License-Identifier: Apache-2.0
#include "soap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "mem.h"
#include "text.h"
#include "xmltext.h"

enum { NAMESPACES_IN_FORCE_MAX = 512 }; /* libxml2 searches them for each element */

#define XSI "http://www.w3.org/2001/XMLSchema-instance"

struct soap_reply {
	xmlDocPtr doc;
	xmlNodePtr body; /* the first element in Body */
	struct normalize_fault fault;
	char fault_class[128];
};

static xmlNodePtr
element(xmlNodePtr node)
{
	while (node != NULL && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

static bool
is_named(const xmlNode *node, const char *name, size_t len)
{
	return strncmp((const char *)node->name, name, len) == 0 && node->name[len] == '\0';
}

static xmlNodePtr
child(xmlNodePtr node, const char *name, size_t len)
{
	for (node = element(node->children); node != NULL; node = element(node->next)) {
		if (is_named(node, name, len))
			return node;
	}
	return NULL;
}

const struct soap_node *
soap_get(const struct soap_node *node, const char *path)
{
	xmlNodePtr at = (xmlNodePtr)(void *)node; /* libxml2 knows no const */

	while (at != NULL && *path != '\0') {
		size_t len = strcspn(path, "/");

		at = child(at, path, len);
		path += len + (path[len] == '/' ? 1 : 0);
	}
	return (const struct soap_node *)(const void *)at;
}

const struct soap_node *
soap_next(const struct soap_node *node)
{
	xmlNodePtr at = (xmlNodePtr)(void *)node;
	const char *name = (const char *)at->name;

	do
		at = element(at->next);
	while (at != NULL && strcmp((const char *)at->name, name) != 0);
	return (const struct soap_node *)(const void *)at;
}

const char *
soap_text(const struct soap_node *node, const char *path)
{
	const xmlNode *at = node == NULL ? NULL : (const void *)soap_get(node, path);

	/* comments are dropped and CDATA is text (parse options), so a leaf has one child */
	if (at == NULL || at->children == NULL || at->children->type != XML_TEXT_NODE)
		return "";
	return (const char *)at->children->content;
}

static const char *
attribute(const struct soap_node *node, const char *name, const char *space)
{
	const xmlNode *at = (const void *)node;

	for (const xmlAttr *a = at == NULL ? NULL : at->properties; a != NULL; a = a->next) {
		const char *href = a->ns == NULL ? NULL : (const char *)a->ns->href;
		bool same = space == NULL ? href == NULL
					  : href != NULL && strcmp(href, space) == 0;

		if (same && strcmp((const char *)a->name, name) == 0 && a->children != NULL)
			return (const char *)a->children->content;
	}
	return "";
}

const char *
soap_moref_type(const struct soap_node *node)
{
	return attribute(node, "type", NULL);
}

const char *
soap_type(const struct soap_node *node)
{
	const char *type = attribute(node, "type", XSI), *colon = strchr(type, ':');

	return colon == NULL ? type : colon + 1;
}

/*
 * Without an xsi:type the detail's element is named after its class: <NotAuthenticatedFault>.
 */
static void
read_fault(struct soap_reply *reply, const struct soap_node *fault)
{
	const xmlNode *detail = (const void *)soap_get(fault, "detail");
	const xmlNode *first = detail == NULL ? NULL : element(detail->children);
	const char *type = soap_type((const void *)first);

	reply->fault.code = soap_text(fault, "faultcode");
	reply->fault.text = soap_text(fault, "faultstring");
	if (type[0] == '\0' && first != NULL)
		type = (const char *)first->name;
	strncpy(reply->fault_class, type, sizeof(reply->fault_class) - 1);
	if (first != NULL && type == (const char *)first->name && text_ends(type, "Fault"))
		reply->fault_class[strlen(reply->fault_class) - strlen("Fault")] = '\0';
	reply->fault.class_name = reply->fault_class;
}

/* How a text is read. */
struct form {
	const char *root;               /* name of the root element; NULL: a SOAP envelope */
	bool head;                      /* its end may be missing */
	const struct soap_items *items; /* NULL: none */
};

/* The bounds for the parser, and which one was exceeded. */
struct bounds {
	xmlSAXHandler built_in; /* libxml2's own callbacks, which build the tree */
	const struct form *form;
	size_t nodes;
	bool doctype, over;
};

/* Called before any entity is declared. */
static void
refuse_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxtPtr ctxt = ctx;
	struct bounds *bounds = ctxt->_private;

	(void)name;
	(void)external;
	(void)system;
	bounds->doctype = true;
	xmlStopParser(ctxt);
}

/* Called before a node exists. One byte of the reply may become 60 bytes of the tree. */
static void
count_nodes(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	const xmlChar **ns, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
	xmlParserCtxtPtr ctxt = ctx;
	struct bounds *bounds = ctxt->_private;

	bounds->nodes += 1 + (size_t)n_ns + (size_t)n_attributes;
	bounds->over = bounds->nodes > SOAP_NODES_MAX || ctxt->nsNr > NAMESPACES_IN_FORCE_MAX;
	if (bounds->over)
		xmlStopParser(ctxt);
	else
		bounds->built_in.startElementNs(ctx, name, prefix, uri, n_ns, ns, n_attributes,
			n_defaulted, attributes);
}

static bool
is_item(const xmlNode *node, const struct soap_items *items)
{
	return node != NULL && node->parent->type == XML_ELEMENT_NODE &&
		strcmp((const char *)node->name, items->name) == 0 &&
		strcmp((const char *)node->parent->name, items->parent) == 0;
}

/*
 * Removes an item when it ends, and the blanks before it. They must not become neighbours of
 * the blanks after it: libxml2 would append these to the text that it was in last, the item's.
 */
static void
take_item(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	xmlParserCtxtPtr ctxt = ctx;
	struct bounds *bounds = ctxt->_private;
	const struct soap_items *items = bounds->form->items;
	xmlNodePtr node = ctxt->node, blank;

	bounds->built_in.endElementNs(ctx, name, prefix, uri);
	if (!is_item(node, items))
		return;
	if (items->fn != NULL)
		items->fn(items->ctx, (const void *)node);
	blank = node->prev;
	if (blank != NULL && blank->type == XML_TEXT_NODE) {
		xmlUnlinkNode(blank);
		xmlFreeNode(blank);
	}
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

static int
find_body(struct soap_reply *reply, struct err *err)
{
	xmlNodePtr root = xmlDocGetRootElement(reply->doc), body;

	if (root == NULL || !is_named(root, "Envelope", 8))
		return err_set(err, ERR_PROTOCOL, "the reply is no SOAP envelope but <%.40s>",
			root == NULL ? "" : (const char *)root->name);
	body = child(root, "Body", 4);
	reply->body = body == NULL ? NULL : element(body->children);
	if (reply->body == NULL)
		return err_set(err, ERR_PROTOCOL, "the reply's SOAP body is empty");
	if (is_named(reply->body, "Fault", 5))
		read_fault(reply, (const void *)reply->body);
	return 0;
}

static int
find_root(struct soap_reply *reply, const char *name, struct err *err)
{
	xmlNodePtr root = xmlDocGetRootElement(reply->doc);

	if (root == NULL || !is_named(root, name, strlen(name)))
		return err_set(err, ERR_PROTOCOL, "the document is no <%s> but <%.40s>", name,
			root == NULL ? "" : (const char *)root->name);
	reply->body = root;
	return 0;
}

/*
 * The tree, or NULL when the text is not XML or exceeds a bound. The push parser stops at the
 * first error. libxml2's other parser would continue, and spend a microsecond on each error.
 */
static xmlDocPtr
read_tree(const char *data, size_t len, const struct form *form, struct err *err)
{
	struct bounds bounds = { .form = form };
	struct xmltext_tags tags = { 0 };
	xmlParserCtxtPtr ctxt;
	const xmlError *error;
	bool well_formed;
	xmlDocPtr doc;

	if (len > SOAP_REPLY_MAX) {
		err_set(err, ERR_LIMIT, "the reply has %zu bytes, the limit is %d", len,
			SOAP_REPLY_MAX);
		return NULL;
	}
	ctxt = xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL);
	if (ctxt == NULL)
		abort(); /* out of memory, see mem.h */
	xmlCtxtUseOptions(ctxt,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
			(form->head ? XML_PARSE_RECOVER : 0));
	bounds.built_in = *ctxt->sax;
	ctxt->_private = &bounds;
	ctxt->sax->comment = NULL;
	ctxt->sax->processingInstruction = NULL;
	ctxt->sax->internalSubset = refuse_doctype;
	ctxt->sax->startElementNs = count_nodes;
	if (form->items != NULL)
		ctxt->sax->endElementNs = take_item;
	bounds.over = !xmltext_check_tags(&tags, data, len);
	if (!bounds.over)
		xmlParseChunk(ctxt, data, (int)len, 1);
	error = xmlCtxtGetLastError(ctxt);
	well_formed = form->head || ctxt->wellFormed != 0;
	if (bounds.doctype)
		err_set(err, ERR_PROTOCOL, "the reply has a DOCTYPE");
	else if (bounds.over)
		err_set(err, ERR_LIMIT, "the reply has too many or too large elements");
	else if (!well_formed)
		err_set(err, ERR_PROTOCOL, "the reply is no XML: line %d: %.*s",
			error == NULL ? 0 : error->line,
			error == NULL ? 0 : (int)strcspn(error->message, "\n"),
			error == NULL ? "" : error->message);
	doc = ctxt->myDoc;
	if (bounds.doctype || bounds.over || !well_formed) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	ctxt->myDoc = NULL;
	xmlFreeParserCtxt(ctxt);
	return doc;
}

static int
parse(struct soap_reply **out, const struct form *form, const char *data, size_t len,
	struct err *err)
{
	struct soap_reply *reply = mem_alloc(sizeof(*reply));

	reply->doc = read_tree(data, len, form, err);
	if (reply->doc == NULL ||
		(form->root != NULL ? find_root(reply, form->root, err)
				    : find_body(reply, err)) != 0) {
		soap_free(reply);
		return -1;
	}
	*out = reply;
	return 0;
}

int
soap_parse(struct soap_reply **reply, const char *data, size_t len, struct err *err)
{
	return parse(reply, &(struct form){ .root = NULL }, data, len, err);
}

int
soap_parse_items(struct soap_reply **reply, const struct soap_items *items, const char *data,
	size_t len, struct err *err)
{
	const struct soap_items unread = { .parent = items->parent, .name = items->name };

	if (parse(reply, &(struct form){ .items = &unread }, data, len, err) != 0)
		return -1;
	soap_free(*reply);
	return parse(reply, &(struct form){ .items = items }, data, len, err);
}

int
soap_parse_head(struct soap_reply **reply, const char *data, size_t len, struct err *err)
{
	return parse(reply, &(struct form){ .head = true }, data, len, err);
}

int
soap_parse_document(struct soap_reply **reply, const char *root, const char *data, size_t len,
	struct err *err)
{
	return parse(reply, &(struct form){ .root = root }, data, len, err);
}

void
soap_free(struct soap_reply *reply)
{
	if (reply == NULL)
		return;
	xmlFreeDoc(reply->doc);
	free(reply);
}

const struct normalize_fault *
soap_fault(const struct soap_reply *reply)
{
	return reply->fault.class_name == NULL ? NULL : &reply->fault;
}

const struct soap_node *
soap_body(const struct soap_reply *reply)
{
	return (const void *)reply->body;
}

void
soap_add_escaped(struct buf *out, const char *text)
{
	static const char *const escaped[64] = { ['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&apos;",
		['\t'] = "&#9;",
		['\n'] = "&#10;",
		['\r'] = "&#13;" };
	size_t left = strlen(text);

	while (left != 0) {
		unsigned char c = (unsigned char)*text;
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (c < sizeof(escaped) / sizeof(escaped[0]) && escaped[c] != NULL) {
			buf_add_str(out, escaped[c]);
		} else if (c < 0x20 || n > left || text_utf8_valid(text, n) != n) {
			buf_add_str(out, "\xef\xbf\xbd");
			n = 1;
		} else {
			buf_add(out, text, n);
		}
		text += n;
		left -= n;
	}
}

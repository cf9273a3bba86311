// SPDX-License-Identifier: Apache-2.0
/* A sample as the SOAP reply that a vCenter would send. */
#include "sample.h"
#include "soap.h"

/* The element's name: as the member, with a small first letter. */
static void
add_name(const struct sample_node *node, struct buf *xml)
{
	size_t len;
	const char *name = sample_member_name(node->field, &len);

	buf_add_char(xml, (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name));
	buf_add(xml, name + 1, len - 1);
}

static void
begin_element(const struct sample_node *node, struct buf *xml)
{
	buf_add_char(xml, '<');
	add_name(node, xml);
	if (node->type != NULL)
		buf_printf(xml, " xsi:type=\"%s\"", node->type);
	else if (node->field->kind == SCHEMA_ANY)
		buf_add_str(xml, " xsi:type=\"xsd:string\"");
	if (node->moref != NULL) {
		buf_add_str(xml, " type=\"");
		soap_add_escaped(xml, node->moref);
		buf_add_char(xml, '"');
	}
	buf_add_char(xml, '>');
	if (node->text != NULL)
		soap_add_escaped(xml, node->text);
}

static void
end_element(const struct sample_node *node, struct buf *xml)
{
	buf_add_str(xml, "</");
	add_name(node, xml);
	buf_add_char(xml, '>');
}

void
sample_write(const struct sample *s, struct buf *xml)
{
	const struct sample_node *node = s->event->first;

	buf_printf(xml,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
		"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>"
		"<QueryEventsResponse xmlns=\"urn:vim25\"><returnval xsi:type=\"%s\">",
		schema_class_name(s->event->class));
	while (node != NULL) { /* without recursion: down, to the side, up */
		begin_element(node, xml);
		if (node->first != NULL) {
			node = node->first;
			continue;
		}
		end_element(node, xml);
		while (node->next == NULL && node->parent->field != NULL) {
			node = node->parent;
			end_element(node, xml);
		}
		node = node->next;
	}
	buf_add_str(
		xml, "</returnval></QueryEventsResponse></soapenv:Body></soapenv:Envelope>\n");
}

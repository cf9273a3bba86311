// SPDX-License-Identifier: Apache-2.0
/* collector/soap.h, on replies recorded from the vCenter simulator (tests/data/soap). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soap.h"

static struct soap_reply *
recorded(const char *name)
{
	char path[128];
	struct soap_reply *reply = NULL;
	struct err err = { 0 };
	struct buf b;
	char *room;
	FILE *f;

	buf_init(&b, 1 << 20);
	snprintf(path, sizeof(path), "tests/data/soap/%s.xml", name);
	f = fopen(path, "r");
	assert_non_null(f);
	room = buf_room(&b, 1 << 19);
	buf_grew(&b, fread(room, 1, 1 << 19, f));
	fclose(f);
	if (soap_parse(&reply, b.data, b.len, &err) != 0)
		fail_msg("%s: %s", name, err.text);
	buf_free(&b);
	return reply;
}

static void
texts_by_path(void **state)
{
	static const struct {
		const char *file, *path, *text;
	} rows[] = {
		{ "service-content", "returnval/about/apiVersion", "6.5" },
		{ "service-content", "returnval/about/instanceUuid",
			"dbed6e0c-bd88-4ef6-b594-21283e1c677f" },
		{ "service-content", "returnval/rootFolder", "group-d1" },
		{ "service-content", "returnval/nothing", "" },
		{ "service-content", "returnval/about/nothing/at/all", "" },
		{ "properties-unauthenticated-HTTP200-missingSet",
			"returnval/objects/missingSet/path", "maxCollector" },
		{ "description-eventInfo-shortened",
			"returnval/objects/propSet/val/EventDescriptionEventDetail/key",
			"UserLoginSessionEvent" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct soap_reply *reply = recorded(rows[i].file);

		assert_null(soap_fault(reply));
		assert_string_equal(soap_text(soap_body(reply), rows[i].path), rows[i].text);
		soap_free(reply);
	}
}

static void
types_and_siblings(void **state)
{
	struct soap_reply *reply = recorded("description-eventInfo-shortened");
	const struct soap_node *node;
	int n = 0;

	(void)state;
	node = soap_get(soap_body(reply), "returnval/objects/propSet/val");
	assert_string_equal(soap_type(node), "ArrayOfEventDescriptionEventDetail");
	for (node = soap_get(node, "EventDescriptionEventDetail"); node != NULL;
		node = soap_next(node))
		n++;
	assert_int_equal(n, 3);
	assert_string_equal(
		soap_moref_type(soap_get(soap_body(reply), "returnval/objects/obj")),
		"EventManager");
	soap_free(reply);

	reply = recorded("properties-unauthenticated-HTTP200-missingSet");
	node = soap_get(soap_body(reply), "returnval/objects/missingSet/fault/fault");
	assert_string_equal(soap_type(node), "NotAuthenticated");
	assert_string_equal(soap_text(NULL, "x"), "");
	assert_string_equal(soap_type(NULL), "");
	soap_free(reply);
}

struct seen {
	char keys[256];
};

static void
add_key(void *ctx, const struct soap_node *item)
{
	struct seen *seen = ctx;
	size_t n = strlen(seen->keys);

	snprintf(seen->keys + n, sizeof(seen->keys) - n, "%s ", soap_text(item, "key"));
}

#define ITEMS "<val> <i><key>1</key><i>2</i></i> <other/>\n<i><key>3</key></i> </val><i/>"

static void
items_one_by_one(void **state)
{
	static const struct {
		const char *xml, *keys;
		int failed;
	} rows[] = {
		{ "<Envelope><Body><r>" ITEMS "</r></Body></Envelope>", "1 3 ", 0 },
		{ "<Envelope><Body><r><val/><i><key>1</key></i></r></Body></Envelope>", "", 0 },
		/* an error behind the items: no call */
		{ "<Envelope><Body><r>" ITEMS "</x></Body></Envelope>", "", -1 },
		{ "<Envelope><Body><r>" ITEMS "</r>", "", -1 },
		{ "<Other><Body><r>" ITEMS "</r></Body></Other>", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = { "" };
		const struct soap_items items = { "val", "i", add_key, &seen };
		struct soap_reply *reply = NULL;
		struct err err;

		assert_int_equal(soap_parse_items(&reply, &items, rows[i].xml,
					 strlen(rows[i].xml), &err),
			rows[i].failed);
		assert_string_equal(seen.keys, rows[i].keys);
		if (reply != NULL) {
			assert_null(soap_get(soap_body(reply), "val/i"));
			soap_free(reply);
		}
	}
}

static void
faults(void **state)
{
	static const char *const rows[][2] = {
		{ "fault-InvalidLogin", "InvalidLogin" },
		{ "fault-NotAuthenticated", "NotAuthenticated" },
		{ "fault-InvalidArgument-maxCount", "InvalidArgument" },
		{ "fault-InvalidState-33rd-collector", "InvalidState" },
		{ "fault-ManagedObjectNotFound", "ManagedObjectNotFound" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct soap_reply *reply = recorded(rows[i][0]);
		const struct normalize_fault *fault = soap_fault(reply);

		assert_non_null(fault);
		assert_string_equal(fault->class_name, rows[i][1]);
		assert_string_equal(fault->code, "ServerFaultCode");
		assert_non_null(fault->text); /* "" for NotAuthenticated */
		soap_free(reply);
	}
}

#define ENVELOPE(body) \
	"<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>" body \
	"</S:Body></S:Envelope>"

static void
fault_without_xsi_type(void **state)
{
	static const char xml[] = ENVELOPE(
		"<S:Fault><faultcode>c</faultcode><faultstring>a &lt; b"
		"</faultstring><detail><x:NotAuthenticatedFault xmlns:x='urn:vim25'/>"
		"</detail></S:Fault>");
	struct soap_reply *reply = NULL;

	(void)state;
	assert_int_equal(soap_parse(&reply, xml, sizeof(xml) - 1, NULL), 0);
	assert_string_equal(soap_fault(reply)->class_name, "NotAuthenticated");
	assert_string_equal(soap_fault(reply)->text, "a < b");
	soap_free(reply);
}

static void
bad_input(void **state)
{
	static const struct {
		const char *xml, *error;
	} rows[] = {
		{ "", "the reply is no XML" },
		{ "not xml", "the reply is no XML" },
		{ "<html><body/></html>", "the reply is no SOAP envelope but <html>" },
		{ "<!DOCTYPE html><html></html>", "the reply has a DOCTYPE" },
		{ "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "the reply has a DOCTYPE" },
		{ "<Envelope><Body></Body></Envelope>", "the reply's SOAP body is empty" },
		{ "<Envelope></Envelope>", "the reply's SOAP body is empty" },
		{ "<Envelope><Body><x>", "the reply is no XML" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct soap_reply *reply = NULL;
		struct err err = { 0 };

		assert_int_equal(
			soap_parse(&reply, rows[i].xml, strlen(rows[i].xml), &err), -1);
		assert_int_equal(err.code, ERR_PROTOCOL);
		if (strncmp(err.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_null(reply);
	}
}

static void
deep_nesting_is_refused(void **state)
{
	struct soap_reply *reply = NULL;
	struct err err = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_add_str(&b, "<a>");
	assert_int_equal(soap_parse(&reply, b.data, b.len, &err), -1);
	assert_int_equal(err.code, ERR_PROTOCOL);
	buf_free(&b);
}

static void
escapes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	soap_add_escaped(&b, "a<b>&\"'\n\x01\xff\xc3\xa4\xf0\x9f\x98\x80\xe2\x82");
	assert_string_equal(buf_str(&b),
		"a&lt;b&gt;&amp;&quot;&apos;&#10;\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4"
		"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_by_path),
		cmocka_unit_test(types_and_siblings),
		cmocka_unit_test(items_one_by_one),
		cmocka_unit_test(faults),
		cmocka_unit_test(fault_without_xsi_type),
		cmocka_unit_test(bad_input),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * collector/normalize.h: pages as they should be. What classes become is compared with govmomi
 * itself by tests/oracle; here stands what govmomi cannot show: facts, faults, and what is in
 * no table.
 */
#include "test.h"

#include "pages.h"

static void
the_recorded_page(void **state)
{
	static const struct {
		size_t i;
		int32_t key;
		const char *class_name, *name, *created, *severity, *cluster;
		enum normalize_kind kind;
	} rows[] = {
		{ 0, 2, "VmPoweredOnEvent", "VmPoweredOnEvent", "2026-11-22T05:27:11.371194Z",
			"", "DC0_C0", NORMALIZE_EVENT },
		{ 5, 7, "UserLoginSessionEvent", "UserLoginSessionEvent",
			"2026-11-22T05:27:11.389108Z", "", "", NORMALIZE_EVENT },
		{ 7, 9, "EventEx", "esx.problem.vmfs.heartbeat.timedout",
			"2026-11-22T05:27:11.393026Z", "warning", "DC0_C0", NORMALIZE_EVENTEX },
		{ 9, 11, "ExtendedEvent", "com.vmware.lab.HealthChangedEvent",
			"2026-11-22T05:27:11.400991Z", "", "DC0_C0", NORMALIZE_EXTENDEDEVENT },
	};
	struct page p;

	(void)state;
	page_open(&p, NULL);
	page_read_file(&p, "tests/data/soap/read-next-24-classes.xml");
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.page.n, 24);
	assert_null(p.page.fault);
	assert_false(p.page.repaired);
	assert_int_equal(p.page.n_left_out, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct normalize_event *ev = &p.page.event[rows[i].i];

		assert_int_equal(ev->key, rows[i].key);
		assert_string_equal(ev->class_name, rows[i].class_name);
		assert_string_equal(ev->name, rows[i].name);
		assert_string_equal(ev->created, rows[i].created);
		assert_string_equal(ev->severity, rows[i].severity);
		assert_string_equal(ev->cluster, rows[i].cluster);
		assert_int_equal(ev->kind, rows[i].kind);
		assert_false(ev->schema_unknown);
	}
	assert_int_equal(p.page.event[0].created_us, INT64_C(1795325231371194)); /* date -d */
	assert_string_equal(p.page.event[0].datacenter, "DC0");
	assert_true(p.page.event[23].schema_unknown);
	page_close(&p);
}

static void
pieces_of_any_size(void **state)
{
	struct page whole, pieces;

	(void)state;
	page_open(&whole, NULL);
	page_open(&pieces, NULL);
	page_read_file(&whole, "tests/data/soap/read-next-24-classes.xml");
	for (size_t size = 1; size < 40; size += 3) {
		page_read(&pieces, whole.text.data, whole.text.len, size);
		assert_int_equal(pieces.page.n, whole.page.n);
		for (size_t i = 0; i < whole.page.n; i++)
			assert_string_equal(page_data(&pieces, i), page_data(&whole, i));
	}
	page_close(&whole);
	page_close(&pieces);
}

static void
faults(void **state)
{
	static const char *const rows[][2] = {
		{ "fault-NotAuthenticated", "NotAuthenticated" },
		{ "fault-ManagedObjectNotFound", "ManagedObjectNotFound" },
		{ "fault-InvalidState-33rd-collector", "InvalidState" },
	};
	struct page p;

	(void)state;
	page_open(&p, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[100];

		snprintf(path, sizeof(path), "tests/data/soap/%s.xml", rows[i][0]);
		page_read_file(&p, path);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.page.n, 0);
		assert_non_null(p.page.fault);
		assert_string_equal(p.page.fault->class_name, rows[i][1]);
		assert_string_equal(p.page.fault->code, "ServerFaultCode");
	}
	page_read_file(&p, "tests/data/soap/read-next-empty.xml"); /* nothing of it is left */
	assert_int_equal(p.rc, 0);
	assert_null(p.page.fault);
	assert_int_equal(p.page.n, 0);
	page_close(&p);
}

/* One member behind the base's, of an event of a class; what it becomes in the data. */
static void
members(void **state)
{
	static const struct {
		const char *class, *xml, *json;
		bool unknown;
	} rows[] = {
		/* unknown members, where they come; arrays, last, when repeated */
		{ "VmPoweredOnEvent", "<auditId>0012</auditId>",
			"\"UserName\":\"root\",\"AuditId\":\"0012\",\"Datacenter\":null,",
			true },
		{ "VmPoweredOnEvent", "<x>1</x><template>true</template><x>2</x>",
			"\"Template\":true,\"X\":[\"1\",\"2\"]}", true },
		{ "VmPoweredOnEvent", "<x><b>1</b><a/><b>2</b></x>",
			"\"UserName\":\"root\",\"X\":{\"A\":\"\",\"B\":[\"1\",\"2\"]},\"Data",
			true },
		{ "VmPoweredOnEvent", "<x type='HostSystem'>h&amp;1</x>",
			",\"X\":{\"Type\":\"HostSystem\",\"Value\":\"h\\u00261\"},\"Data",
			true },
		{ "VmPoweredOnEvent", "<x xsi:type='xsd:int'>5</x>", ",\"X\":5,\"Data", true },
		{ "VmPoweredOnEvent", "<x xsi:type='KeyValue'><key>k</key></x>",
			",\"X\":{\"_typeName\":\"KeyValue\",\"Key\":\"k\",\"Value\":\"\"},"
			"\"Data",
			true },
		{ "VmPoweredOnEvent", "<x xsi:type='NewThing'><a>1</a></x>",
			",\"X\":{\"_typeName\":\"NewThing\",\"A\":\"1\"},\"Data", true },
		{ "VmPoweredOnEvent", "<x xsi:type='NewEnum'>red</x>", ",\"X\":\"red\",\"Data",
			true },
		{ "VmPoweredOnEvent", "<x-y.z>1</x-y.z><\xc3\xa4>2</\xc3\xa4>",
			",\"X-y.z\":\"1\",\"\xc3\xa4\":\"2\",\"Data", true },
		/* a class that no table knows, and one that is no event */
		{ "FutureEvent", "<a><b>x</b></a>", ",\"A\":{\"B\":\"x\"},\"Data", true },
		{ "VirtualDisk", "<a>x</a>", ",\"A\":\"x\",\"Data", true },
		/* xsi:type: unknown on a known member; declared; a descendant */
		{ "AccountCreatedEvent", "<spec xsi:type='SpecX'><id>i</id><y>1</y></spec>",
			"\"Spec\":{\"_typeName\":\"SpecX\",\"Id\":\"i\",\"Y\":\"1\","
			"\"Password\":\"\",\"Description\":\"\"},"
			"\"Group\":false}",
			true },
		{ "AccountCreatedEvent", "<spec xsi:type='HostAccountSpec'><id>i</id></spec>",
			"\"Spec\":{\"Id\":\"i\",\"Password\":\"\",\"Description\":\"\"},"
			"\"Group\":false}",
			false },
		{ "AccountCreatedEvent",
			"<spec "
			"xsi:type='HostPosixAccountSpec'><id>i</id><posixId>7</posixId></spec>",
			"\"Spec\":{\"_typeName\":\"HostPosixAccountSpec\",\"Id\":\"i\","
			"\"Password\":\"\","
			"\"Description\":\"\",\"PosixId\":7,\"ShellAccess\":null},\"Group\":"
			"false}",
			false },
		/* what is not of its kind is kept as text, or as what it is */
		{ "VmPoweredOnEvent", "<template>maybe</template>", "\"Template\":\"maybe\"}",
			true },
		{ "VmPoweredOnEvent", "<template><x>1</x></template>",
			"\"Template\":{\"X\":\"1\"}}", true },
		/* twice a member that is no list: the last */
		{ "VmPoweredOnEvent", "<template>true</template><template>false</template>",
			"\"Template\":false}", false },
		/* lists in pieces */
		{ "EventEx",
			"<arguments><key>a</key></arguments><objectId>o</"
			"objectId><arguments><key>b</key></arguments>",
			"\"Arguments\":[{\"Key\":\"a\",\"Value\":null},{\"Key\":\"b\","
			"\"Value\":null}],"
			"\"ObjectId\":\"o\",\"ObjectType\":\"\",\"ObjectName\":\"\",\"Fault\":"
			"null}",
			false },
		/* xsd by another prefix, and undeclared prefixes */
		{ "EventEx",
			"<arguments><value xmlns:q='http://www.w3.org/2001/XMLSchema' "
			"xsi:type='q:long'>1</value>"
			"</arguments>",
			"\"Arguments\":[{\"Key\":\"\",\"Value\":1}],\"ObjectId\":\"\","
			"\"ObjectType\":\"\","
			"\"ObjectName\":\"\",\"Fault\":null}",
			false },
	};
	struct page p;
	struct buf xml;

	(void)state;
	page_open(&p, NULL);
	buf_init(&xml, 10000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *data;

		buf_clear(&xml);
		buf_printf(&xml,
			PAGE_HEAD "<returnval xsi:type=\"%s\">" EVENT_BASE
				  "%s</returnval>" PAGE_TAIL,
			rows[i].class, rows[i].xml);
		page_read(&p, xml.data, xml.len, xml.len);
		if (p.rc != 0 || p.page.n != 1)
			fail_msg("row %zu: %zu events, %s", i, p.page.n, p.err.text);
		data = page_data(&p, 0);
		if (strstr(data, rows[i].json) == NULL)
			fail_msg("row %zu:\n%s, not\n%s", i, data, rows[i].json);
		assert_int_equal(p.page.event[0].schema_unknown, rows[i].unknown);
		assert_string_equal(p.page.event[0].class_name, rows[i].class);
	}
	buf_free(&xml);
	page_close(&p);
}

/*
 * Fields of newer vCenters come in the middle of those the event router knew, and are not
 * there when they are unset.
 */
static void
fields_of_newer_vcenters(void **state)
{
	static const char xml[] = PAGE_HEAD
		"<returnval xsi:type='VmReconfiguredEvent'>" EVENT_BASE
		"<configSpec><rebootPowerOff>true</rebootPowerOff>"
		"<numCPUs>4</numCPUs><extraConfig xsi:type='OptionValue'><key>a</key><value "
		"xsi:type='xsd:string'>1</value>"
		"</extraConfig></configSpec></returnval>"
		"<returnval xsi:type='TaskEvent'>" EVENT_BASE
		"<info><key>t</key><progressDetails><key>p</key>"
		"<value xsi:type='xsd:int'>3</value></progressDetails></info></returnval>"
		"<returnval xsi:type='TaskEvent'>" EVENT_BASE
		"<info><key>t</key></info></returnval>" PAGE_TAIL;
	struct page p;

	(void)state;
	page_open(&p, NULL);
	page_read(&p, xml, sizeof(xml) - 1, 1000);
	assert_int_equal(p.page.n, 3);
	assert_non_null(strstr(page_data(&p, 0), "\"NumCPUs\":4,"));
	assert_null(strstr(page_data(&p, 0), "\"NumCPUs\":0"));
	assert_non_null(strstr(page_data(&p, 0), "\"RebootPowerOff\":true"));
	assert_non_null(
		strstr(page_data(&p, 0), "\"ExtraConfig\":[{\"Key\":\"a\",\"Value\":\"1\"}]"));
	assert_null(strstr(page_data(&p, 0), "\"ExtraConfig\":null"));
	assert_null(strstr(page_data(&p, 0), "FtEncryptionMode"));
	assert_non_null(
		strstr(page_data(&p, 1), "\"ProgressDetails\":[{\"Key\":\"p\",\"Value\":3}]"));
	assert_null(strstr(page_data(&p, 2), "ProgressDetails"));
	for (size_t i = 0; i < p.page.n; i++)
		assert_false(p.page.event[i].schema_unknown);
	page_close(&p);
}

static void
an_event_without_an_identity(void **state)
{
	static const char xml[] = PAGE_HEAD
		"<returnval xsi:type='Event'><key>1</key></returnval>"
		"<returnval "
		"xsi:type='Event'><createdTime>2026-01-01T00:00:00Z</createdTime></returnval>"
		"<returnval "
		"xsi:type='Event'><key>x</key><createdTime>2026-01-01T00:00:00Z</createdTime></"
		"returnval>"
		"<returnval "
		"xsi:type='Event'><key>1</key><createdTime>then</createdTime></returnval>"
		"<returnval xsi:type='x:'>" EVENT_BASE "</returnval>" PAGE_TAIL;
	struct page p;

	(void)state;
	page_open(&p, NULL);
	page_read(&p, xml, sizeof(xml) - 1, 100);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.page.n_left_out, 4);
	assert_int_equal(p.page.n, 1);
	assert_string_equal(p.page.event[0].class_name, "Event");
	assert_int_equal(p.page.event[0].key, 7);
	page_close(&p);
}

static void
a_key_beyond_32_bits_wraps(void **state)
{
	static const char xml[] = PAGE_HEAD
		"<returnval xsi:type='Event'><key>4294967297</key>"
		"<createdTime>2026-01-01T00:00:00Z</createdTime></returnval>" PAGE_TAIL;
	struct page p;

	(void)state;
	page_open(&p, NULL);
	page_read(&p, xml, sizeof(xml) - 1, 1000);
	assert_int_equal(p.page.n, 1);
	assert_int_equal(p.page.event[0].key, 1);
	assert_true(text_starts(page_data(&p, 0), "{\"Key\":4294967297,"));
	page_close(&p);
}

static void
describe(struct page *p, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < p->page.n; i++)
		buf_printf(out, "%s %s %s\n", p->page.event[i].created,
			p->page.event[i].class_name, page_data(p, i));
}

/* The memory of its reply goes to the normalizer of the next page. */
static void
a_page_outlives_its_reply(void **state)
{
	static const char file[] = "tests/data/soap/read-next-24-classes.xml";
	struct page page, next;
	struct buf before, after;

	(void)state;
	page_open(&page, NULL);
	page_open(&next, NULL);
	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	page_read_file(&page, file);
	describe(&page, &before);
	normalizer_pass_on(page.normalizer, next.normalizer);
	for (int i = 0; i < 2; i++) {
		page_read_file(&next, file);
		assert_int_equal(next.page.n, 24);
		normalizer_release(next.normalizer);
	}
	describe(&page, &after);
	assert_int_equal(page.page.n, 24);
	assert_string_equal(buf_str(&after), buf_str(&before));
	page_read_file(&page, file);
	assert_int_equal(page.page.n, 24);
	buf_free(&before);
	buf_free(&after);
	page_close(&page);
	page_close(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recorded_page),
		cmocka_unit_test(pieces_of_any_size),
		cmocka_unit_test(faults),
		cmocka_unit_test(members),
		cmocka_unit_test(fields_of_newer_vcenters),
		cmocka_unit_test(an_event_without_an_identity),
		cmocka_unit_test(a_key_beyond_32_bits_wraps),
		cmocka_unit_test(a_page_outlives_its_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

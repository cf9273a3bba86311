// SPDX-License-Identifier: Apache-2.0
/* collector/normalize.h: pages as they should not be. */
#include "test.h"

#include "pages.h"

#define EVENT(key, xml) \
	"<returnval xsi:type=\"VmPoweredOnEvent\"><key>" key "</key>" \
	"<createdTime>2026-11-22T10:11:12.5Z</createdTime>" xml "</returnval>"
#define GOOD_1 EVENT("1", "<userName>one</userName>")
#define GOOD_3 EVENT("3", "<userName>three</userName><template>true</template>")

static void
no_page_at_all(void **state)
{
	static const struct {
		const char *xml;
		size_t len; /* 0: strlen */
		const char *error;
	} rows[] = {
		{ "", 0, "the reply is empty" },
		{ " \n", 0, "the reply was cut" },
		{ "502 Bad Gateway", 0, "the reply was cut after 15 bytes, or is no XML" },
		{ "<!DOCTYPE html>\n<html><body>login</body></html>", 0,
			"the reply is an HTML page, no SOAP" },
		{ "<html><head><title>502</title></head></html>", 0,
			"the reply is no SOAP envelope but <html>" },
		{ "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>",
			0, "the reply has a DOCTYPE" },
		{ "<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\"><x/>", 0,
			"the reply has a DOCTYPE" },
		{ "<?xml version='1.0'?><Envelope/>", 0, "the reply's SOAP body is empty" },
		{ "<Envelope><Body></Body></Envelope>", 0, "the reply's SOAP body is empty" },
		{ "<Envelope><Header><ReadNextEventsResponse/></Header></Envelope>", 0,
			"the reply's SOAP body is empty" },
		{ "<Envelope><Body><LoginResponse/></Body></Envelope>", 0,
			"the reply is a <LoginResponse>, no page of events" },
		{ "<Envelope><Body><Fault><a></Fault></Body></Envelope>", 0,
			"the reply is not well formed: line 1" },
		{ "\xff\xfe<\0E\0n\0v\0e\0l\0o\0p\0e\0/\0>\0", 22, "the reply was cut after" },
		{ "\0\0\0\0", 4, "the reply was cut after" },
		{ "{\"error\":\"not XML\"}", 0, "the reply was cut after" },
	};
	struct page p;

	(void)state;
	page_open(&p, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = rows[i].len != 0 ? rows[i].len : strlen(rows[i].xml);

		for (size_t piece = 1; piece <= 64; piece *= 8) {
			page_read(&p, rows[i].xml, len, piece);
			assert_int_equal(p.rc, -1);
			assert_int_equal(p.err.code, ERR_PROTOCOL);
			if (!text_starts(p.err.text, rows[i].error))
				fail_msg("row %zu: %s", i, p.err.text);
		}
	}
	page_close(&p);
}

static void
a_cut_page_gives_nothing(void **state)
{
	static const char xml[] = PAGE_HEAD GOOD_1 GOOD_3 PAGE_TAIL;
	struct page p;

	(void)state;
	page_open(&p, NULL);
	/* the newline behind it may be missing */
	for (size_t len = 1; len < sizeof(xml) - 2; len++) {
		page_read(&p, xml, len, 100);
		if (p.rc == 0 || p.err.code != ERR_PROTOCOL)
			fail_msg("%zu bytes gave %zu events", len, p.page.n);
	}
	page_read(&p, xml, sizeof(xml) - 2, 100);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.page.n, 2);
	page_close(&p);
}

/*
 * Between two good events one that is not: they are as they would be alone, it keeps what can
 * be read of it.
 */
static void
one_bad_event(void **state)
{
	static const struct {
		const char *xml;
		bool left_out;
		const char *data; /* where it starts with the same, NULL: not looked at */
	} rows[] = {
		{ EVENT("2", "<userName>a &lt; b &amp;amp; c</userName>&"), false, NULL },
		{ EVENT("2", "<userName>AT&T</userName><template>true</template>"), false,
			NULL },
		{ EVENT("2", "<userName>a < b</userName>"), false,
			"{\"Key\":2,\"ChainId\":0,\"CreatedTime\":\"2026" },
		{ EVENT("2", "<userName>&nbsp;x</userName>"), false, NULL },
		{ EVENT("2", "<userName>a&#11;b&#x0;c&#55296;d&#x41;</userName>"), false,
			"{\"Key\":2,\"ChainId\":0,\"CreatedTime\":\"2026-11-22T10:11:12.5Z\","
			"\"UserName\":\"a\xef\xbf\xbd"
			"b\xef\xbf\xbd"
			"c\xef\xbf\xbd"
			"dA\"" },
		{ EVENT("2", "<userName>x</name>"), false, NULL },
		{ EVENT("2", "<vm><name>x</name>"), false, NULL },
		{ EVENT("2", "<vm><name>x</name></vm></vm><userName>x</userName>"), false,
			NULL },
		{ EVENT("2", "<vm type=VirtualMachine>x</vm>"), false, NULL },
		{ EVENT("2", "<vm a='1' a='2'>x</vm>"), false, NULL },
		{ EVENT("2", "<!-- never closed"), false, NULL },
		{ EVENT("2", "<userName><![CDATA[never closed</userName>"), false, NULL },
		{ EVENT("2", "<1>x</1>"), false, NULL },
		{ EVENT("2", "<?php"), false, NULL },
		/* an undeclared prefix: well formed, as XML 1.0 goes */
		{ EVENT("2", "<q:x>1</q:x>"), false, NULL },
		{ "<returnval xsi:type=\"VmPoweredOnEvent\"><key>2</key><createdTime>2026-11-22T10:11:12.5Z</createdTime>",
			false, NULL },
		{ "<returnval xsi:type=\"VmPoweredOnEvent\"><ke", true, NULL },
		{ "<returnval xsi:type=\"VmPow", true, NULL },
		{ "<returnval/>", true, NULL },
		{ "<returnval xsi:type=\"VmPoweredOnEvent\"></key></returnval>", true, NULL },
	};
	struct page good, p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 100000);
	page_open(&good, NULL);
	page_open(&p, NULL);
	page_read(&good, PAGE_HEAD GOOD_1 GOOD_3 PAGE_TAIL,
		strlen(PAGE_HEAD GOOD_1 GOOD_3 PAGE_TAIL), 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = rows[i].left_out ? 2 : 3;

		buf_clear(&xml);
		buf_printf(&xml, PAGE_HEAD GOOD_1 "%s" GOOD_3 PAGE_TAIL, rows[i].xml);
		page_read(&p, xml.data, xml.len, i % 2 == 0 ? 7 : xml.len);
		if (p.rc != 0 || p.page.n != n || p.page.n_left_out != 3 - n)
			fail_msg("row %zu: rc %d, %zu events, %zu left out: %s%s", i, p.rc,
				p.page.n, p.page.n_left_out, p.err.text, p.page.why);
		assert_string_equal(page_data(&p, 0), page_data(&good, 0));
		assert_string_equal(page_data(&p, n - 1), page_data(&good, 1));
		assert_false(p.page.event[0].repaired);
		assert_false(p.page.event[n - 1].repaired);
		if (n == 2)
			continue;
		assert_int_equal(p.page.event[1].key, 2);
		assert_int_equal(p.page.event[1].repaired, p.page.repaired);
		if (rows[i].data != NULL && !text_starts(page_data(&p, 1), rows[i].data))
			fail_msg("row %zu: %s", i, page_data(&p, 1));
	}
	buf_free(&xml);
	page_close(&good);
	page_close(&p);
}

static void
characters_that_xml_forbids(void **state)
{
	static const char xml[] = PAGE_HEAD "<returnval xsi:type='Event'>" EVENT_BASE
					    "<fullFormattedMessage>"
					    "a\0b\x01"
					    "c\x1f"
					    "d\xff"
					    "e\xed\xa0\x80"
					    "f\xef\xbf\xbf"
					    "g\xc3\xa4\xe2\x82"
					    "</fullFormattedMessage></returnval>" PAGE_TAIL;
#define BAD "\xef\xbf\xbd"
	static const char want[] = "\"FullFormattedMessage\":\"a" BAD "b" BAD "c" BAD "d" BAD
				   "e" BAD BAD BAD "f" BAD BAD BAD "g\xc3\xa4" BAD BAD
				   "\",\"ChangeTag\":\"\"}";
	struct page p;

	(void)state;
	page_open(&p, NULL);
	for (size_t piece = 1; piece < 9; piece++) {
		page_read(&p, xml, sizeof(xml) - 1, piece);
		assert_int_equal(p.rc, 0);
		assert_false(p.page.repaired); /* it was, before it was XML */
		assert_int_equal(p.page.n_bad_chars, 12);
		assert_true(text_ends(page_data(&p, 0), want));
	}
	page_close(&p);
}

static void
a_declared_charset_is_not_believed(void **state)
{
	static const char xml[] =
		"<?xml version='1.0' encoding='ISO-8859-1'?><Envelope><Body><QueryEventsResponse>"
		"<returnval>" EVENT_BASE "<changeTag>\xe4\xc3\xa4</changeTag></returnval>"
		"</QueryEventsResponse></Body></Envelope>";
	struct page p;

	(void)state;
	page_open(&p, NULL);
	page_read(&p, xml, sizeof(xml) - 1, 1000);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.page.n, 1);
	assert_true(text_ends(page_data(&p, 0), "\"ChangeTag\":\"" BAD "\xc3\xa4\"}"));
	page_close(&p);
}

static void
add_levels(struct buf *xml, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_str(xml, "<a>");
	buf_add_char(xml, 'x');
	for (size_t i = 0; i < n; i++)
		buf_add_str(xml, "</a>");
}

static void
nesting(void **state)
{
	static const struct {
		size_t levels;
		bool trimmed;
	} rows[] = { { 20, false }, { 99, false }, { 120, true }, { 1000, true },
		{ 100000, true } };
	struct page p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 1 << 20);
	page_open(&p, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&xml);
		buf_add_str(&xml, PAGE_HEAD GOOD_1 "<returnval xsi:type='Event'>" EVENT_BASE);
		add_levels(&xml, rows[i].levels);
		buf_add_str(&xml, "</returnval>" GOOD_3 PAGE_TAIL);
		page_read(&p, xml.data, xml.len, 1000);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.page.n, 3);
		assert_int_equal(p.page.event[1].trimmed, rows[i].trimmed);
		if (rows[i].levels == 20)
			assert_non_null(strstr(page_data(&p, 1),
				"{\"A\":{\"A\":{\"A\":\"x\"}}}}}}}}}}}}}}}}}}},"));
	}
	buf_free(&xml);
	page_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_page_at_all),
		cmocka_unit_test(a_cut_page_gives_nothing),
		cmocka_unit_test(one_bad_event),
		cmocka_unit_test(characters_that_xml_forbids),
		cmocka_unit_test(a_declared_charset_is_not_believed),
		cmocka_unit_test(nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

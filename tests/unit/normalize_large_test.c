// SPDX-License-Identifier: Apache-2.0
/* collector/normalize.h: pages and events that are too large, and masses of small parts. */
#include "test.h"

#include "pages.h"

#define EVENT(key, xml) \
	"<returnval xsi:type=\"VmPoweredOnEvent\"><key>" key "</key>" \
	"<createdTime>2026-11-22T10:11:12.5Z</createdTime>" xml "</returnval>"
#define GOOD_1 EVENT("1", "<userName>one</userName>")
#define GOOD_3 EVENT("3", "<userName>three</userName><template>true</template>")

static void
feed_text(struct page *p, const char *text)
{
	if (normalizer_feed(p->normalizer, text, strlen(text), &p->err) != 0)
		p->rc = -1;
}

/* An event with a message of so many bytes. */
static void
feed_event(struct page *p, size_t bytes)
{
	static char filler[64 * 1024];

	memset(filler, 'x', sizeof(filler) - 1);
	feed_text(p, "<returnval xsi:type='Event'>" EVENT_BASE "<fullFormattedMessage>");
	for (; bytes != 0 && p->rc == 0;
		bytes -= bytes < sizeof(filler) - 1 ? bytes : sizeof(filler) - 1)
		feed_text(p,
			bytes >= sizeof(filler) - 1 ? filler
						    : filler + sizeof(filler) - 1 - bytes);
	feed_text(p, "</fullFormattedMessage><changeTag>end</changeTag></returnval>");
}

static void
a_page_of_100_mb(void **state)
{
	const struct normalize_limits large = { .page_max = 128 << 20 },
				      limits = { .page_max = 10 << 20 };
	struct page p;

	(void)state;
	page_open(&p, &large);
	normalizer_begin(p.normalizer);
	feed_text(&p, PAGE_HEAD);
	for (int i = 0; i < 1000; i++)
		feed_event(&p, 100000);
	feed_text(&p, PAGE_TAIL);
	assert_int_equal(p.rc, 0);
	assert_int_equal(normalizer_end(p.normalizer, &p.page, &p.err), 0);
	assert_int_equal(p.page.n, 1000);
	assert_true(p.page.event[999].data_len > 100000);
	page_close(&p);

	page_open(&p, &limits);
	normalizer_begin(p.normalizer);
	feed_text(&p, PAGE_HEAD);
	for (int i = 0; i < 1000 && p.rc == 0; i++)
		feed_event(&p, 100000);
	assert_int_equal(p.rc, -1);
	assert_int_equal(p.err.code, ERR_LIMIT);
	assert_int_equal(normalizer_end(p.normalizer, &p.page, &p.err), -1);
	assert_int_equal(p.err.code, ERR_LIMIT);
	/* and on */
	page_read(&p, PAGE_HEAD GOOD_1 PAGE_TAIL, strlen(PAGE_HEAD GOOD_1 PAGE_TAIL), 100);
	assert_int_equal(p.page.n, 1);
	page_close(&p);
}

static void
an_event_of_20_mb(void **state)
{
	const struct normalize_limits limits = { .event_max = 1 << 20 };
	struct page p;

	(void)state;
	page_open(&p, NULL);
	normalizer_begin(p.normalizer);
	feed_text(&p, PAGE_HEAD);
	feed_event(&p, 20 << 20);
	feed_text(&p, PAGE_TAIL);
	assert_int_equal(normalizer_end(p.normalizer, &p.page, &p.err), 0);
	assert_int_equal(p.page.n, 1);
	assert_false(p.page.event[0].trimmed);
	assert_true(p.page.event[0].data_len > 20 << 20);
	page_close(&p);

	page_open(&p, &limits);
	normalizer_begin(p.normalizer);
	feed_text(&p, PAGE_HEAD GOOD_1);
	feed_event(&p, 20 << 20);
	feed_text(&p, GOOD_3 PAGE_TAIL);
	assert_int_equal(normalizer_end(p.normalizer, &p.page, &p.err), 0);
	assert_int_equal(p.page.n, 3);
	assert_true(p.page.event[1].trimmed);
	assert_false(p.page.event[2].trimmed);
	assert_string_equal(page_data(&p, 1),
		"{\"Key\":7,\"ChainId\":0,\"CreatedTime\":\"2026-11-22T10:11:12.5Z\",\"UserName\":\"root\","
		"\"Datacenter\":null,\"ComputeResource\":null,\"Host\":null,\"Vm\":null,\"Ds\":null,\"Net\":null,"
		"\"Dvs\":null,\"FullFormattedMessage\":\"\",\"ChangeTag\":\"end\"}");
	page_close(&p);
}

static void
too_many_events(void **state)
{
	const struct normalize_limits limits = { .events_max = 2 };
	struct page p;

	(void)state;
	page_open(&p, &limits);
	page_read(&p, PAGE_HEAD GOOD_1 GOOD_1 GOOD_3 PAGE_TAIL,
		strlen(PAGE_HEAD GOOD_1 GOOD_1 GOOD_3 PAGE_TAIL), 1000);
	assert_int_equal(p.rc, -1);
	assert_int_equal(p.err.code, ERR_LIMIT);
	page_close(&p);
}

/*
 * Things of which there may be very many: names, unknown members, attributes, bytes that are no
 * UTF-8.
 */
static void
masses(void **state)
{
	struct page p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 64 << 20);
	page_open(&p, NULL);
	for (int what = 0; what < 4; what++) {
		buf_clear(&xml);
		buf_add_str(&xml, PAGE_HEAD GOOD_1 "<returnval xsi:type='Event'>" EVENT_BASE);
		if (what == 2)
			buf_add_str(&xml, "<x y='");
		for (int i = 0; i < 100000; i++) {
			if (what == 0)
				buf_printf(&xml, "<n%d>1</n%d>", i, i);
			else if (what == 1)
				buf_add_str(&xml, "<same>1</same><other/>");
			else
				buf_add_str(&xml, what == 2 ? "0123456789" : "\xff\xfe\xfd");
		}
		buf_add_str(&xml, what == 2 ? "'/>" : "");
		buf_add_str(&xml, "</returnval>" GOOD_3 PAGE_TAIL);
		page_read(&p, xml.data, xml.len, 100000);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.page.n, 3);
		assert_int_equal(p.page.repaired, what == 2); /* a tag of 1 MB */
	}
	buf_free(&xml);
	page_close(&p);
}

/*
 * More than the 10 MB that libxml2's dictionary takes: neither the other events nor later pages
 * suffer.
 */
static void
names_of_15_mb(void **state)
{
	struct page p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 64 << 20);
	page_open(&p, NULL);
	for (int page = 0; page < 2; page++) {
		buf_clear(&xml);
		buf_add_str(&xml, PAGE_HEAD GOOD_1 "<returnval xsi:type='Event'>" EVENT_BASE);
		for (int i = 0; i < 1500; i++)
			buf_printf(&xml, "<n%d%010000d/>", page, i);
		buf_add_str(&xml, "</returnval>" GOOD_3 PAGE_TAIL);
		page_read(&p, xml.data, xml.len, 16 * 1024);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.page.n, 3);
		assert_int_equal(p.page.event[2].key, 3);
	}
	page_read(&p, PAGE_HEAD GOOD_1 PAGE_TAIL, strlen(PAGE_HEAD GOOD_1 PAGE_TAIL), 100);
	assert_int_equal(p.page.n, 1);
	assert_false(p.page.repaired);
	page_close(&p);
	buf_free(&xml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_100_mb),
		cmocka_unit_test(an_event_of_20_mb),
		cmocka_unit_test(too_many_events),
		cmocka_unit_test(masses),
		cmocka_unit_test(names_of_15_mb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

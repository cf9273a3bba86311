// SPDX-License-Identifier: Apache-2.0
/*
 * collector/normalize.h: events that trimming by size does not make small enough, and events
 * without identity.
 */
#include "test.h"

#include "pages.h"
#include "schema.h"

#define EVENT(key) \
	"<returnval xsi:type=\"VmPoweredOnEvent\"><key>" key "</key>" \
	"<createdTime>2026-11-22T10:11:12.5Z</createdTime></returnval>"
#define GOOD_1 EVENT("1")
#define GOOD_3 EVENT("3")

/* Members of different names, each small; those of one name would be one list. */
static void
add_members(struct buf *xml)
{
	for (unsigned k = 0; k < 3000; k++)
		buf_printf(xml, "<q%u>1</q%u>", k, k);
}

/* Nothing of it is large, and all of it together is: no trimming by size helps. */
static void
an_event_of_many_members(void **state)
{
	static const char *const types[] = { "Event", "VmPoweredOnEvent", "FutureVendorEvent" };
	const struct normalize_limits limits = { .event_max = 16 * 1024 };
	struct page p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 16 << 20);
	page_open(&p, &limits);
	for (size_t i = 0; i < COUNT(types); i++) {
		buf_clear(&xml);
		buf_printf(&xml, PAGE_HEAD GOOD_1 "<returnval xsi:type='%s'>" EVENT_BASE,
			types[i]);
		add_members(&xml);
		buf_add_str(&xml, "</returnval>" GOOD_3 PAGE_TAIL);
		page_read(&p, xml.data, xml.len, 4096);
		assert_int_equal(p.rc, 0);
		assert_int_equal(p.page.n, 3);
		assert_int_equal(p.page.n_left_out, 0);
		assert_true(p.page.event[1].trimmed);
		assert_true(p.page.event[1].stub);
		assert_false(p.page.event[2].stub);
		assert_int_equal(p.page.event[1].key, 7);
		assert_string_equal(p.page.event[1].name, types[i]);
		assert_non_null(strstr(page_data(&p, 1),
			"{\"Key\":7,\"ChainId\":0,\"CreatedTime\":\"2026-11-22T10:11:12.5Z\","));
		assert_null(strstr(page_data(&p, 1), "\"Q"));
	}
	/* one member with a name of 40,000 bytes */
	buf_clear(&xml);
	buf_add_str(&xml, PAGE_HEAD "<returnval xsi:type='Event'>" EVENT_BASE "<");
	for (size_t k = 0; k < 40000; k++)
		buf_add_char(&xml, 'q');
	buf_add_str(&xml, "/></returnval>" PAGE_TAIL);
	page_read(&p, xml.data, xml.len, 4096);
	assert_int_equal(p.page.n, 1);
	assert_true(p.page.event[0].stub);
	buf_free(&xml);
	page_close(&p);
}

/*
 * The smallest limit that the collector sets: an event of any class fits it when it is trimmed.
 */
static void
every_class_fits_when_trimmed(void **state)
{
	const struct normalize_limits limits = { .event_max = 16 * 1024 };
	struct page p;
	struct buf xml;

	(void)state;
	buf_init(&xml, 1 << 20);
	page_open(&p, &limits);
	for (size_t i = 0; i < schema_n_classes; i++) {
		const struct schema_class *class = &schema_classes[i];
		const char *name = schema_class_name(class);

		if (!schema_is_a(class, schema_find("Event", 5)))
			continue;
		buf_clear(&xml);
		buf_printf(&xml, PAGE_HEAD "<returnval xsi:type='%s'>" EVENT_BASE, name);
		add_members(&xml);
		buf_add_str(&xml, "</returnval>" PAGE_TAIL);
		page_read(&p, xml.data, xml.len, xml.len);
		if (p.rc != 0 || p.page.n != 1)
			fail_msg("%s: %s", name, p.err.text);
	}
	buf_free(&xml);
	page_close(&p);
}

/* What has no identity is known by its bytes: read again, it is the same. */
static void
the_same_damage_again(void **state)
{
	static const char *const pages[] = {
		PAGE_HEAD
		"<returnval xsi:type='Event'><userName>a</userName></returnval>" GOOD_1
			PAGE_TAIL,
		PAGE_HEAD GOOD_3
		"<returnval xsi:type='Event'><userName>a</userName></returnval>" PAGE_TAIL,
		PAGE_HEAD
		"<returnval xsi:type='Event'><userName>b</userName></returnval>" GOOD_1
			PAGE_TAIL,
		PAGE_HEAD GOOD_1 "<returnval xsi:type='Event'><x></returnval>" PAGE_TAIL,
		PAGE_HEAD "<returnval xsi:type='Event'><x></returnval>" GOOD_3 PAGE_TAIL,
	};
	uint64_t hash[COUNT(pages)];
	struct page p;

	(void)state;
	page_open(&p, NULL);
	for (size_t i = 0; i < COUNT(pages); i++) {
		page_read(&p, pages[i], strlen(pages[i]), 100);
		assert_int_equal(p.page.n, 1);
		assert_int_equal(p.page.n_left_out, 1);
		hash[i] = p.page.left_out[0];
	}
	assert_true(hash[0] == hash[1] && hash[0] != hash[2]);
	assert_true(hash[3] == hash[4] && hash[3] != hash[2]);
	page_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_of_many_members),
		cmocka_unit_test(every_class_fits_when_trimmed),
		cmocka_unit_test(the_same_damage_again),
	};

	return cmocka_run_group_tests_name("normalize_trim", tests, NULL, NULL);
}

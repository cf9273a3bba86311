// SPDX-License-Identifier: Apache-2.0
/* Events that are larger than a page, and replies that end in the middle of an event. */
#include "test.h"

#include "pages.h"

enum { PAGE = 1 << 20 };

static const size_t pieces[] = { 1, 7, 1000, 16 * 1024, 5 * PAGE };

#define GOOD(key) \
	"<returnval xsi:type='Event'><key>" key \
	"</key><createdTime>2026-11-22T10:11:12.5Z</createdTime></returnval>"

static const struct normalize_limits limits = { .page_max = PAGE };

/* What a stub of EVENT_BASE has: what is small, and came whole. */
static const char stub[] =
	"{\"Key\":7,\"ChainId\":0,\"CreatedTime\":\"2026-11-22T10:11:12.5Z\",\"UserName\":\"root\","
	"\"Datacenter\":null,\"ComputeResource\":null,\"Host\":null,\"Vm\":null,\"Ds\":null,\"Net\":null,"
	"\"Dvs\":null,\"FullFormattedMessage\":\"\",\"ChangeTag\":\"\",\"Template\":false}";

static void
add_large(struct page *p, const char *open, size_t size, const char *close)
{
	size_t end = p->text.len + size;

	buf_add_str(&p->text, open);
	while (p->text.len < end)
		buf_add_str(&p->text, "0123456789abcdef");
	buf_add_str(&p->text, close);
}

static void
is_stub(struct page *p, size_t i)
{
	const struct normalize_event *e = &p->page.event[i];

	assert_true(e->stub && e->trimmed && e->repaired);
	assert_int_equal(e->key, 7);
	assert_string_equal(e->class_name, "VmEvent");
	assert_string_equal(page_data(p, i), stub);
}

#define LARGE(more) "<returnval xsi:type='VmEvent'>" EVENT_BASE more

static const struct large {
	const char *name, *open, *close;
} large[] = {
	{ "a message", LARGE("<fullFormattedMessage>"), "</fullFormattedMessage></returnval>" },
	{ "a prefix", "<v:returnval xmlns:v='urn:vim25' xsi:type='VmEvent'>" EVENT_BASE "<a>",
		"</a></v:returnval >" },
	{ "CDATA", LARGE("<fullFormattedMessage><![CDATA["),
		"]]></fullFormattedMessage></returnval>" },
	{ "a comment", LARGE("<!--"), "--></returnval>" },
	{ "an attribute", LARGE("<a b='"), "'/></returnval>" },
	{ "a name", LARGE("<"), "/></returnval>" },
	{ "no end tag but its own", LARGE("<a><b><c>"), "</returnval>" },
};

static void
an_event_larger_than_the_page(void **state)
{
	struct page p;

	(void)state;
	page_open(&p, &limits);
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		buf_clear(&p.text);
		buf_add_str(&p.text, PAGE_HEAD GOOD("1"));
		add_large(&p, large[i].open, 3 * PAGE, large[i].close);
		buf_add_str(&p.text, GOOD("2") GOOD("3") PAGE_TAIL);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			page_read(&p, p.text.data, p.text.len, pieces[k]);
			if (p.rc != 0 || p.page.n != 4)
				fail_msg("%s: %zu events: %s", large[i].name, p.page.n,
					p.err.text);
			assert_int_equal(p.page.event[0].key, 1);
			is_stub(&p, 1);
			assert_int_equal(p.page.event[2].key, 2);
			assert_int_equal(p.page.event[3].key, 3);
			assert_false(p.page.event[3].repaired || p.page.event[3].trimmed);
			assert_int_equal(p.page.n_left_out, 0);
		}
	}
	page_close(&p);
}

/* Up to a page it is kept whole, as if there were no bound on an event. */
static void
an_event_that_fills_the_page(void **state)
{
	const struct normalize_limits room = { .page_max = 8 * PAGE };
	struct page p;

	(void)state;
	page_open(&p, &room);
	buf_add_str(&p.text, PAGE_HEAD);
	add_large(&p, LARGE("<fullFormattedMessage>"), 6 * PAGE,
		"</fullFormattedMessage></returnval>");
	buf_add_str(&p.text, PAGE_TAIL);
	page_read(&p, p.text.data, p.text.len, 1000);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.page.n, 1);
	assert_false(p.page.event[0].trimmed || p.page.event[0].repaired);
	assert_true(p.page.event[0].data_len > 6 * PAGE);
	page_close(&p);
}

/* An event is cut or kept whole, however its bytes arrive: sizes about PAGE less 64 KiB. */
static void
the_pieces_change_nothing(void **state)
{
	struct page p;
	bool is_cut = false;

	(void)state;
	page_open(&p, &limits);
	for (size_t size = PAGE - 68 * 1024; size < PAGE - 60 * 1024; size += 256) {
		buf_clear(&p.text);
		buf_add_str(&p.text, PAGE_HEAD);
		add_large(&p, LARGE("<fullFormattedMessage>"), size,
			"</fullFormattedMessage></returnval>");
		buf_add_str(&p.text, GOOD("2") PAGE_TAIL);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			page_read(&p, p.text.data, p.text.len, pieces[k]);
			assert_int_equal(p.rc, 0);
			assert_int_equal(p.page.n, 2);
			if (k == 0)
				is_cut = p.page.event[0].stub;
			assert_true(p.page.event[0].stub == is_cut);
		}
	}
	page_close(&p);
}

static void
many_events_larger_than_the_page(void **state)
{
	struct page p;

	(void)state;
	page_open(&p, &limits);
	for (size_t n = 1; n < 8; n++) {
		buf_clear(&p.text);
		buf_add_str(&p.text, PAGE_HEAD);
		for (size_t i = 0; i < n; i++)
			add_large(&p, LARGE("<a>"), 2 * PAGE, "</a></returnval>");
		buf_add_str(&p.text, GOOD("3") PAGE_TAIL);
		page_read(&p, p.text.data, p.text.len, 1000);
		if (p.rc != 0) { /* smaller pages will do */
			assert_int_equal(p.err.code, ERR_LIMIT);
			assert_true(n > 1);
			continue;
		}
		assert_int_equal(p.page.n, n + 1);
		for (size_t i = 0; i < n; i++)
			is_stub(&p, i);
		assert_int_equal(p.page.event[n].key, 3);
	}
	page_close(&p);
}

/* Whatever it has before its key, an event without an end ends somewhere. */
static void
an_event_without_an_end(void **state)
{
	static char filler[PAGE + 1];
	struct page p;
	size_t fed = 0;

	(void)state;
	memset(filler, 'x', PAGE);
	page_open(&p, &limits);
	normalizer_begin(p.normalizer);
	assert_int_equal(normalizer_feed(p.normalizer, PAGE_HEAD LARGE("<a>"),
				 strlen(PAGE_HEAD LARGE("<a>")), &p.err),
		0);
	while (fed < 1000 && normalizer_feed(p.normalizer, filler, PAGE, &p.err) == 0)
		fed++;
	assert_in_range(fed, 100, 200);
	assert_int_equal(normalizer_end(p.normalizer, &p.page, &p.err), -1);
	assert_int_equal(p.err.code, ERR_LIMIT);
	assert_true(normalizer_end_partial(p.normalizer, &p.page));
	assert_int_equal(p.page.n, 1);
	is_stub(&p, 0);
	page_close(&p);
}

/* A reply that is cut at any byte: the event is known from the end of its createdTime on. */
static void
a_reply_that_is_cut(void **state)
{
	static const char text[] = PAGE_HEAD LARGE(
		"<fullFormattedMessage>It is so</fullFormattedMessage>");
	const char *begin = strstr(text, "<returnval"), *user = strstr(text, "</userName>");
	const char *created = strstr(text, "</createdTime>") + strlen("</createdTime>");
	struct page p;

	(void)state;
	page_open(&p, &limits);
	for (const char *end = text + 1; *end != '\0'; end++) {
		bool begun;

		page_read(&p, text, (size_t)(end - text), 100);
		assert_int_equal(p.rc, -1);
		begun = normalizer_end_partial(p.normalizer, &p.page);
		assert_int_equal(begun, normalizer_has_begun(p.normalizer));
		if (end < begin || !begun)
			continue;
		assert_int_equal(p.page.n, end >= created);
		if (end > begin + strlen("<returnval "))
			assert_int_equal(p.page.n + p.page.n_left_out, 1);
		if (p.page.n == 1) {
			assert_true(p.page.event[0].stub);
			assert_int_equal(p.page.event[0].key, 7);
			assert_int_equal(strstr(page_data(&p, 0), "\"root\"") != NULL,
				end > user + strlen("</userName>") - 1);
			assert_null(strstr(page_data(&p, 0), "It is")); /* never a part of it */
		}
	}
	page_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_larger_than_the_page),
		cmocka_unit_test(an_event_that_fills_the_page),
		cmocka_unit_test(the_pieces_change_nothing),
		cmocka_unit_test(many_events_larger_than_the_page),
		cmocka_unit_test(an_event_without_an_end),
		cmocka_unit_test(a_reply_that_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The reading position and the vCenter's clock: tables of what happens and where reading goes
 * on. Seconds, no I/O.
 */
#include "test.h"

#include "position.h"
#include "source_clock.h"

enum { OVERLAP = 60, AUDIT = 600, NOW = 1000000, DAY = 86400, STEPS_MAX = 8 };

#define US(seconds) (INT64_C(1000000) * (seconds))

enum what {
	END,        /* of the table's row */
	EVENT,      /* sent, dated `at`, with key `value` */
	SHORT_PAGE, /* ends */
	FULL_PAGE,  /* all its events are dated from `at` on, one a second */
	MIXED_PAGE, /* the same, but each third one is dated `value` */
	TAKE_BACK,  /* reading has to begin at `at` */
	SET_BACK,   /* to `at` */
	BEGUN,      /* at `at` */
	/* the stream's newest event is dated `at`, complete before `value` (0: all) */
	ADOPT,
	CLOCK, /* shows `at` */
};

struct step {
	enum what what;
	int64_t at, value;
};

static void
page(struct position *p, const struct step *s, int64_t now)
{
	struct position_event sample[POSITION_SAMPLES];

	position_begin_page(p, true);
	for (int i = 0; i < POSITION_SAMPLES; i++) {
		sample[i].created_us = US(
			s->what == MIXED_PAGE && i % 3 == 2 ? s->value : s->at + i);
		sample[i].key = i;
		position_sent(p, &sample[i], position_date(p, sample[i].created_us, now), now);
	}
	position_end_page(p, sample, POSITION_SAMPLES, now);
}

static void
apply(struct position *p, const struct step *s, int64_t *now)
{
	struct position_event e = { .created_us = US(s->at), .key = (int32_t)s->value };

	switch (s->what) {
	case EVENT:
		position_sent(p, &e, position_date(p, e.created_us, *now), *now);
		break;
	case SHORT_PAGE:
		position_begin_page(p, false);
		position_end_page(p, NULL, 0, *now);
		break;
	case FULL_PAGE:
	case MIXED_PAGE:
		page(p, s, *now);
		break;
	case TAKE_BACK:
		position_take_back(p, US(s->at));
		break;
	case SET_BACK:
		position_set_back(p, US(s->at));
		break;
	case BEGUN:
		position_begun(p, US(s->at));
		break;
	case ADOPT:
		position_adopt(p, &e, &e, s->value ? US(s->value) : INT64_MAX);
		break;
	case CLOCK:
		*now = US(s->at);
		break;
	case END:
		break;
	}
}

static const struct row {
	const char *name;
	struct step step[STEPS_MAX];
	/* where the next collector begins; -1: at the start that is configured */
	int64_t begin;
	int64_t complete; /* what a message says; -1: everything is */
} rows[] = {
	{ "nothing was read", { { END } }, -1, -1 },
	{ "nothing was stored: the same beginning again", { { BEGUN, 500 } }, 500, 500 },
	{ "an event", { { EVENT, 900, 1 } }, 900 - OVERLAP, -1 },
	{ "an older one does not move it back", { { EVENT, 900, 1 }, { EVENT, 890, 2 } },
		900 - OVERLAP, -1 },
	{ "dated 7 hours ahead", { { EVENT, 900, 1 }, { EVENT, NOW + 7 * 3600, 2 } },
		900 - OVERLAP, -1 },
	{ "dated 10 years ahead, alone", { { BEGUN, 500 }, { EVENT, NOW + 3650 * DAY, 2 } },
		500, 500 },
	{ "dated 4 minutes ahead: as far as the clock",
		{ { EVENT, NOW - 10, 1 }, { EVENT, NOW + 240, 2 } }, NOW + 1 - OVERLAP,
		NOW + 1 },
	{ "dated 10 years back", { { EVENT, NOW - 10, 1 }, { EVENT, NOW - 3650 * DAY, 2 } },
		NOW - 10 - OVERLAP, -1 },
	{ "dated before startFrom, first of all", { { BEGUN, 500 }, { EVENT, 400, 2 } }, 500,
		500 },
	{ "the end was reached", { { BEGUN, 500 }, { EVENT, 600, 1 }, { SHORT_PAGE } },
		600 - OVERLAP, -1 },
	{ "not yet", { { BEGUN, 500 }, { EVENT, 600, 1 } }, 500 - OVERLAP, 500 },
	{ "a backlog: the middle of its page", { { BEGUN, 500 }, { FULL_PAGE, 600 } },
		615 - OVERLAP, 615 },
	{ "a page with some wrong dates", { { BEGUN, 500 }, { MIXED_PAGE, 600, 900000 } },
		622 - OVERLAP, 622 },
	{ "a page with dates ahead", { { BEGUN, 500 }, { MIXED_PAGE, 600, NOW + DAY } },
		615 - OVERLAP, 615 },
	{ "a date that has come meanwhile does not hide what is older",
		{ { FULL_PAGE, 600 }, { MIXED_PAGE, 700, 900000 }, { FULL_PAGE, 800 } },
		815 - OVERLAP, 815 },
	{ "a backlog's end", { { FULL_PAGE, 600 }, { SHORT_PAGE } }, 630 - OVERLAP, -1 },
	{ "not stored: read again", { { EVENT, 900, 1 }, { TAKE_BACK, 700 } }, 700 - OVERLAP,
		700 },
	{ "and was",
		{ { EVENT, 900, 1 }, { TAKE_BACK, 700 }, { EVENT, 910, 2 }, { SHORT_PAGE } },
		910 - OVERLAP, -1 },
	{ "set back", { { EVENT, 900000, 1 }, { SET_BACK, 800000 } }, 800000 - OVERLAP,
		800000 },
	{ "not as far as it was read", { { EVENT, 700000, 1 }, { SET_BACK, 800000 } },
		700000 - OVERLAP, -1 },
	{ "set back: new events move it, old dates stay told",
		{ { EVENT, 900000, 1 }, { CLOCK, 800000 }, { SET_BACK, 799990 },
			{ EVENT, 799995, 2 }, { SHORT_PAGE } },
		799995 - OVERLAP, 799995 },
	{ "set back: kept until the end is reached",
		{ { EVENT, 900000, 1 }, { CLOCK, 800000 }, { SET_BACK, 799990 },
			{ EVENT, 799995, 2 }, { FULL_PAGE, 799996 } },
		799990 - OVERLAP, 799990 },
	{ "the clock has come to the old dates",
		{ { EVENT, 900000, 1 }, { CLOCK, 800000 }, { SET_BACK, 799990 }, { SHORT_PAGE },
			{ CLOCK, 950000 }, { EVENT, 949990, 3 } },
		949990 - OVERLAP, -1 },
	{ "set back, nothing stored", { { BEGUN, 900000 }, { SET_BACK, 800000 } },
		800000 - OVERLAP, 800000 },
	{ "from the stream", { { ADOPT, 900, 0 } }, 900 - OVERLAP, -1 },
	{ "from the stream, less what may be missing", { { ADOPT, 900, 700 } }, 700 - OVERLAP,
		700 },
};

static void
where_reading_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		int64_t now = US(NOW), begin, complete;
		struct position p;

		position_init(&p, US(OVERLAP), US(AUDIT));
		for (size_t k = 0; k < STEPS_MAX && row->step[k].what != END; k++)
			apply(&p, &row->step[k], &now);
		begin = position_begin(&p, -US(1));
		complete = position_complete(&p);
		if (begin != US(row->begin) ||
			complete != (row->complete < 0 ? INT64_MAX : US(row->complete)))
			fail_msg("%s: begins at %lld, complete %lld", row->name,
				(long long)(begin / US(1)), (long long)(complete / US(1)));
	}
}

static void
at_the_earliest(void **state)
{
	struct position p;

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	assert_true(position_begin(&p, INT64_MIN) == INT64_MIN);
	position_begun(&p, INT64_MIN);
	position_begin_page(&p, true);
	assert_true(position_complete(&p) == INT64_MIN);
	assert_true(position_oldest_needed(&p) == INT64_MIN);
}

static void
the_audit_looks_back_over_a_step(void **state)
{
	struct position_event before = { .created_us = US(1000), .key = 1 },
			      after = { .created_us = US(9000), .key = 2 };
	struct position p;

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	position_sent(&p, &before, POSITION_IN_ORDER, US(1000));
	position_set_forward(&p, 5000);
	position_sent(&p, &after, POSITION_IN_ORDER, US(9000));
	assert_true(position_audit_begin(&p, 5000) == US(1000 - AUDIT));
	assert_true(position_audit_begin(&p, 5000 + AUDIT * 1000) == US(1000 - AUDIT));
	assert_true(position_audit_begin(&p, 5001 + AUDIT * 1000) == US(9000 - AUDIT));
}

static const struct {
	int32_t key;
	int64_t at;
	bool before;
} starts[] = {
	{ 99, 499, true },
	{ 100, 499, false },
	{ 101, -1000000, false },
	{ 99, 500, false },
	{ -100, 1, true },
	{ -2147483647, 1, false },
	{ 2147483647, 1, false },
};

static void
what_was_there_before_the_start(void **state)
{
	struct position p;

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	assert_false(position_is_before_start(
		&p, &(struct position_event){ .created_us = 1, .key = 1 }));
	position_set_first(&p, &(struct position_event){ .created_us = US(500), .key = 100 });
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct position_event e = { .created_us = US(starts[i].at),
			.key = starts[i].key };

		if (position_is_before_start(&p, &e) != starts[i].before)
			fail_msg("key %d at %lld", (int)e.key, (long long)starts[i].at);
	}
	assert_true(position_key_after(INT32_MIN, INT32_MAX)); /* it wraps */
	assert_false(position_key_after(5, 5));
}

/* The first answer: shows 1000 s, asked at 10 s, told at 11 s. */
static const struct {
	int64_t shown, asked, told;
	enum source_clock_step step;
	int64_t earliest;
} answers[] = {
	{ 1010, 20, 20, SOURCE_CLOCK_STEADY, 1000 },
	{ 1009, 20, 20, SOURCE_CLOCK_STEADY, 999 },
	{ 1007, 20, 20, SOURCE_CLOCK_STEADY, 997 }, /* within the tolerance */
	{ 1006, 20, 20, SOURCE_CLOCK_BACK, 996 },
	{ -25200, 20, 20, SOURCE_CLOCK_BACK, -25210 },
	{ 1012, 20, 20, SOURCE_CLOCK_STEADY, 1002 },
	{ 1013, 20, 20, SOURCE_CLOCK_FORWARD, 1003 },
	{ 1012, 20, 50, SOURCE_CLOCK_STEADY, 972 }, /* a slow answer */
	{ 1042, 20, 50, SOURCE_CLOCK_STEADY, 1002 },
	{ 1043, 20, 50, SOURCE_CLOCK_FORWARD, 1003 },
};

static void
steps_of_the_clock(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct source_clock answer = {
			.shown_us = US(1000), .asked_ms = 10000, .told_ms = 11000
		};
		struct source_clock clock = { .known = false };
		enum source_clock_step step;
		int64_t earliest;

		assert_int_equal(source_clock_set(&clock, &answer, US(2), &earliest),
			SOURCE_CLOCK_STEADY);
		assert_true(
			earliest == US(1000) && source_clock_now(&clock, 21000) == US(1010));
		answer = (struct source_clock){ .shown_us = US(answers[i].shown),
			.asked_ms = answers[i].asked * 1000,
			.told_ms = answers[i].told * 1000 };
		step = source_clock_set(&clock, &answer, US(2), &earliest);
		if (step != answers[i].step || earliest != US(answers[i].earliest))
			fail_msg("row %zu: step %d, earliest %lld", i, (int)step,
				(long long)(earliest / US(1)));
	}
}

static void
while_hidden_events_are_read_again(void **state)
{
	struct position p;
	struct position_hold hold;
	const struct position_event e = { .created_us = US(900), .key = 7 };

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	position_sent(&p, &e, POSITION_IN_ORDER, US(NOW));
	hold = position_hold(&p, US(300));
	assert_true(position_complete(&p) == US(300));
	/* a full page that is later does not end it */
	position_begin_page(&p, true);
	position_end_page(&p, &e, 1, US(NOW));
	assert_true(position_complete(&p) == US(300));
	position_release(&p, &hold);
	assert_true(position_complete(&p) == INT64_MAX);
	/* an earlier bound stays the bound */
	position_take_back(&p, US(200));
	hold = position_hold(&p, US(300));
	assert_true(position_complete(&p) == US(200));
	position_release(&p, &hold);
	assert_true(position_complete(&p) == US(200));
}

static void
another_database(void **state)
{
	struct position p;
	const struct position_event newest = { .created_us = US(900), .key = 90 };
	const struct position_event first = { .created_us = US(100), .key = 50 };
	const struct position_event latest = { .created_us = US(400), .key = 60 };

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	position_adopt(&p, &newest, &newest, INT64_MAX);
	position_set_first(&p, &first);
	/* restored from a backup: later keys come again */
	position_set_restored(&p, &latest);
	assert_int_equal(p.newest.key, 60);
	assert_true(position_resume(&p) == US(400) && !p.is_event);
	/* re-created: its first key is before the first of the stream, and is no old event */
	assert_true(position_is_old_key(&p, 1));
	position_begin_epoch(&p, 1);
	assert_false(position_is_old_key(&p, 1));
	position_forget_first(&p);
	assert_false(position_is_old_key(&p, -5));
}

static void
reading_begins_where_it_did_at_first(void **state)
{
	struct position p;
	const struct position_event e = { .created_us = US(900), .key = 7 };

	(void)state;
	position_init(&p, US(OVERLAP), US(AUDIT));
	position_begun(&p, US(500));
	position_sent(&p, &e, POSITION_IN_ORDER, US(NOW));
	position_begin_page(&p, false);
	position_end_page(&p, NULL, 0, US(NOW));
	position_forget(&p);
	position_reopen_at_start(&p);
	assert_true(position_begin(&p, US(NOW)) == US(500));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_reading_goes_on),
		cmocka_unit_test(at_the_earliest),
		cmocka_unit_test(the_audit_looks_back_over_a_step),
		cmocka_unit_test(what_was_there_before_the_start),
		cmocka_unit_test(steps_of_the_clock),
		cmocka_unit_test(while_hidden_events_are_read_again),
		cmocka_unit_test(another_database),
		cmocka_unit_test(reading_begins_where_it_did_at_first),
	};

	return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What a dispatcher makes of the lists of streams that NATS sends. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "discovery.h"
#include "jetstream.h"

/* The list that comes next: names and subjects alternating; NULL: no answer. */
static const char *const *listed;
static char wanted[512]; /* "VC_a vc.a.> VC_b vc.b.>" as it was set last */
static unsigned changes;

int
jetstream_list_streams(struct bus *bus, const struct jetstream_list *list, struct err *err)
{
	(void)bus;
	if (listed == NULL)
		return err_set(err, ERR_TIMEOUT, "no answer");
	for (size_t i = 0; listed[i] != NULL; i += 2)
		list->add(list->ctx, listed[i], listed[i + 1]);
	return 0;
}

void
wanted_streams_set_found(
	struct wanted_streams *streams, char *const *names_and_subjects, size_t n_streams)
{
	(void)streams;
	wanted[0] = '\0';
	for (size_t i = 0; i < 2 * n_streams; i++) {
		size_t at = strlen(wanted);

		snprintf(wanted + at, sizeof(wanted) - at, "%s%s", i != 0 ? " " : "",
			names_and_subjects[i]);
	}
	changes++;
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
lists_that_differ(void **state)
{
	const struct discovery_config config = { .prefix = "vc" };
	const struct {
		const char *const *list;
		const char *wanted;
		unsigned changes;
	} rows[] = {
		{ NULL, "", 0 },
		{ LIST("VC_a", "vc.a.>"), "VC_a vc.a.>", 1 },
		{ LIST("VC_a", "vc.a.>"), "VC_a vc.a.>", 1 },
		{ LIST("VC_b", "vc.b.>", "VC_a", "vc.a.>"), "VC_a vc.a.> VC_b vc.b.>", 2 },
		/* not in two lists, and then no answer: that is no third list */
		{ LIST("VC_b", "vc.b.>"), "VC_a vc.a.> VC_b vc.b.>", 2 },
		{ LIST("VC_b", "vc.b.>"), "VC_a vc.a.> VC_b vc.b.>", 2 },
		{ NULL, "VC_a vc.a.> VC_b vc.b.>", 2 },
		{ LIST("VC_a", "vc.a.>"), "VC_a vc.a.> VC_b vc.b.>", 2 },
		{ LIST("VC_a", "vc.a.>"), "VC_a vc.a.> VC_b vc.b.>", 2 },
		{ LIST("VC_a", "vc.a.>"), "VC_a vc.a.>", 3 },
		/* of other tools; a mirror has no subjects */
		{ LIST("VC_a", "vc.a.>", "VC_", "vc..>", "CE_w", "ce.w.>", "VC_x", "x.>",
			  "EVENTS", "vc.EVENTS.>", "VC_m", ""),
			"VC_a vc.a.> CE_w ce.w.> VC_m vc.m.>", 4 },
		/* VC_x is made again, as a stream of events; VC_a gets other subjects */
		{ LIST("VC_a", "vc.b.>", "CE_w", "ce.w.>", "VC_x", "vc.x.>", "VC_m", ""),
			"CE_w ce.w.> VC_x vc.x.> VC_m vc.m.>", 5 },
	};
	struct discovery *d = discovery_open(&config);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t now_ms = 1000 + (int64_t)i * 10000;

		listed = rows[i].list;
		discovery_turn(d, now_ms);
		assert_string_equal(wanted, rows[i].wanted);
		assert_int_equal(changes, rows[i].changes);
		if (i == 0)
			assert_string_equal(
				discovery_trouble(d), "streams cannot be listed: no answer");
		else
			assert_string_equal(discovery_trouble(d), "");
		listed = LIST("VC_early", "vc.early.>"); /* it is not time yet */
		discovery_turn(d, now_ms + 9999);
		assert_int_equal(changes, rows[i].changes);
	}
	discovery_close(d);
	discovery_turn(NULL, 0);
	discovery_close(NULL);
	assert_string_equal(discovery_trouble(NULL), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_that_differ),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}

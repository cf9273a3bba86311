// SPDX-License-Identifier: Apache-2.0
#include "collect_trouble.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "status.h"

enum { REPEAT_MS = 60000 };

void
collect_trouble_report(
	struct collect_trouble *t, const char *peer, const char *message, const struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();

	status_check(peer, false, err->text);
	if (strcmp(t->text, err->text) == 0 && now_ms - t->logged_ms < REPEAT_MS)
		return;
	memcpy(t->text, err->text, sizeof(t->text));
	t->logged_ms = now_ms;
	log_error(message, L_STR("reason", err_name(err->code)), L_ERR(err));
}

static uint64_t
stored(struct publisher *publisher, uint64_t *in_flight)
{
	struct publisher_stats stats;

	publisher_stats(publisher, &stats);
	*in_flight = stats.in_flight;
	return stats.published + stats.duplicates;
}

void
collect_trouble_refused(
	struct collect_trouble *t, struct publisher *publisher, enum err_code code)
{
	uint64_t in_flight;

	if (code != ERR_FULL && code != ERR_TIMEOUT)
		return;
	t->refused = true;
	t->stored = stored(publisher, &in_flight);
}

bool
collect_trouble_end(struct collect_trouble *t, struct publisher *publisher)
{
	uint64_t in_flight;

	if (t->refused && stored(publisher, &in_flight) == t->stored && in_flight > 0)
		return false;
	if (t->text[0] != '\0')
		log_info("reading events again");
	t->text[0] = '\0';
	t->refused = false;
	return true;
}

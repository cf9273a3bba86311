// SPDX-License-Identifier: Apache-2.0
#include "aws_envelope.h"

#include <string.h>

#include "clock.h"
#include "json.h"

enum { US_PER_SECOND = 1000 * 1000 };

int64_t
aws_envelope_seconds(const struct event *ev)
{
	int64_t us, rest;

	if (!clock_parse(ev->time, strlen(ev->time), &us))
		us = clock_wall_us();
	rest = us % US_PER_SECOND;
	return (us - (rest < 0 ? rest + US_PER_SECOND : rest)) / US_PER_SECOND;
}

static void
add_member(struct buf *out, const char *name, const char *value)
{
	json_add_member(out, name, value);
	buf_add_char(out, ',');
}

void
aws_envelope_add(struct buf *out, const struct aws_envelope *envelope, const struct event *ev)
{
	char time[CLOCK_TEXT_SIZE];

	buf_add_str(out, "{\"version\":\"0\",\"id\":\"\",");
	add_member(out, "detail-type", ev->subject);
	add_member(out, "source", ev->source);
	add_member(out, "account", envelope->account);
	add_member(out, "time", clock_format(aws_envelope_seconds(ev) * US_PER_SECOND, time));
	add_member(out, "region", envelope->region);
	buf_add_str(out, "\"resources\":[");
	for (char **one = envelope->resources; one != NULL && *one != NULL; one++) {
		if (one != envelope->resources)
			buf_add_char(out, ',');
		json_add_string(out, *one, strlen(*one));
	}
	buf_add_str(out, "],\"detail\":");
	if (ev->json != NULL)
		buf_add(out, ev->json, ev->json_len);
	else
		event_add_structured(ev, NULL, out);
	buf_add_char(out, '}');
}

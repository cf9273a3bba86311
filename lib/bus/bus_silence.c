// SPDX-License-Identifier: Apache-2.0
#include "bus_silence.h"

bool
bus_silence_add(struct bus_silence *s, int64_t now_ms)
{
	if (s->wait_ms == 0)
		s->wait_ms = BUS_SILENCE_MS;
	if (s->n++ == 0)
		s->since_ms = now_ms;
	if (s->n < BUS_SILENCE_TRIES || now_ms - s->since_ms < s->wait_ms)
		return false;
	s->n = 0;
	s->wait_ms = s->wait_ms > BUS_SILENCE_MS_MAX / 2 ? BUS_SILENCE_MS_MAX : 2 * s->wait_ms;
	return true;
}

void
bus_silence_end(struct bus_silence *s)
{
	*s = (struct bus_silence){ 0 };
}

void
bus_silence_connect(struct bus_silence *s)
{
	s->n = 0;
}

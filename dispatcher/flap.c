// SPDX-License-Identifier: Apache-2.0
#include "flap.h"

bool
flap_change(struct flap *f, bool pause, int64_t now_ms)
{
	if (f->changes == 0 && now_ms - f->since_ms >= FLAP_MS)
		f->lines = 0;
	if (f->lines == 0)
		f->since_ms = now_ms;
	if (f->lines < FLAP_LINES) {
		f->lines++;
		return true;
	}
	f->changes++;
	f->pauses += pause;
	return false;
}

bool
flap_sum(struct flap *f, unsigned *pauses, int64_t now_ms)
{
	if (f->changes == 0 || now_ms - f->since_ms < FLAP_MS)
		return false;
	*pauses = f->pauses;
	f->changes = f->pauses = 0;
	f->since_ms = now_ms;
	return true;
}

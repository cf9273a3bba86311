// SPDX-License-Identifier: Apache-2.0
#include "log_brake.h"

bool
log_brake(struct log_brake *brake, int64_t now_ms, int64_t *n)
{
	brake->n++;
	if (brake->any && now_ms - brake->written_ms < LOG_BRAKE_MS)
		return false;
	*n = brake->n;
	*brake = (struct log_brake){ .written_ms = now_ms, .any = true };
	return true;
}

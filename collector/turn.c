// SPDX-License-Identifier: Apache-2.0
#include "turn.h"

static enum turn_wait
source_wait(enum err_code code, unsigned attempts)
{
	switch (code) {
	case ERR_AUTH:
		return TURN_WAIT_LOGIN;
	case ERR_FORBIDDEN:
		return TURN_WAIT_FORBIDDEN;
	case ERR_NOT_FOUND:
		return attempts == 0 ? TURN_NO_WAIT : TURN_WAIT_BACKOFF;
	default:
		return TURN_WAIT_BACKOFF;
	}
}

struct turn_plan
turn_plan(enum source_result result, enum err_code code, unsigned attempts)
{
	if (code == ERR_STOPPED)
		result = SOURCE_STOPPED;
	switch (result) {
	case SOURCE_NOT_READY:
		return (struct turn_plan){ .wait = TURN_WAIT_SHORT };
	case SOURCE_FAILED:
		return (struct turn_plan){ .source_failed = true,
			.first_attempt = code == ERR_NOT_FOUND && attempts == 0,
			.wait = source_wait(code, attempts) };
	case STREAM_FAILED:
		return (struct turn_plan){ .stream_failed = code != ERR_CONFLICT,
			.load_stream = true,
			.wait = code == ERR_CONFLICT ? TURN_NO_WAIT : TURN_WAIT_BACKOFF };
	case SOURCE_OK:
	case SOURCE_RETRY:
	case SOURCE_STOPPED:
		break;
	}
	return (struct turn_plan){ .wait = TURN_NO_WAIT };
}

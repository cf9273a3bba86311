// SPDX-License-Identifier: Apache-2.0
#include "window.h"

enum {
	RESERVE_MIN = 16,  /* events */
	RESERVE_MAX = 128, /* requests */
	/* a pull requests at least this part of the reserve, and of what the buffer can hold */
	RESERVE_SHARE = 2,
	BUFFER_SHARE = 8, /* events that wait for a retry may fill most of it */
};

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
reserve(const struct window_config *config)
{
	return smaller(config->concurrency, RESERVE_MAX) * config->batch_max + RESERVE_MIN;
}

size_t
window_size(const struct window_config *config)
{
	return config->strict ? 1 : config->concurrency * config->batch_max + reserve(config);
}

size_t
window_budget(const struct window_config *config, const struct window_state *state)
{
	size_t size = window_size(config), room;

	if (state->stopped || state->bytes >= config->buffer_bytes || state->held >= size)
		return 0;
	if (state->paused) /* one event is enough, for the probe */
		return state->n_untried == 0 ? 1 : 0;
	room = (config->buffer_bytes - state->bytes) / state->largest + 1;
	return smaller(size - state->held, room);
}

size_t
window_least(const struct window_config *config, const struct window_state *state)
{
	if (state->paused || config->strict)
		return 0;
	return smaller(reserve(config) / RESERVE_SHARE,
		config->buffer_bytes / state->largest / BUFFER_SHARE);
}

// SPDX-License-Identifier: Apache-2.0
#include "log_limit.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static struct log_kind *
find(struct log_limit *limit, const char *msg)
{
	struct log_kind *k;

	for (size_t i = 0; i < limit->n; i++)
		if (strcmp(limit->kind[i].msg, msg) == 0)
			return &limit->kind[i];
	if (limit->n == LOG_LIMIT_KINDS)
		return NULL;
	limit->kind = mem_grow_for(limit->kind, limit->n, &limit->cap, sizeof(*limit->kind));
	k = &limit->kind[limit->n++];
	*k = (struct log_kind){ .msg = mem_strdup(msg) };
	return k;
}

static bool
is_over(const struct log_kind *k, int64_t now_ms)
{
	return now_ms - k->started_ms >= LOG_LIMIT_MS;
}

bool
log_limit_take(struct log_limit *limit, int level, const char *msg, int64_t now_ms)
{
	struct log_kind *k = find(limit, msg);

	if (k == NULL)
		return true;
	/* an interval that left lines out ends with its sum */
	if (k->written == 0 || (k->left_out == 0 && is_over(k, now_ms))) {
		k->started_ms = now_ms;
		k->written = 0;
	}
	if (k->written < LOG_LIMIT_LINES) {
		k->written++;
		return true;
	}
	if (k->left_out++ == 0 || level > k->level)
		k->level = level;
	return false;
}

bool
log_limit_sum(struct log_limit *limit, bool all, int64_t now_ms, struct log_kind *sum)
{
	for (size_t i = 0; i < limit->n; i++) {
		struct log_kind *k = &limit->kind[i];

		if (k->left_out == 0 || (!all && !is_over(k, now_ms)))
			continue;
		*sum = *k;
		k->left_out = 0;
		k->written = 0;
		return true;
	}
	return false;
}

void
log_limit_free(struct log_limit *limit)
{
	for (size_t i = 0; i < limit->n; i++)
		free(limit->kind[i].msg);
	free(limit->kind);
	*limit = (struct log_limit){ 0 };
}

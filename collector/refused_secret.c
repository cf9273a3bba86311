// SPDX-License-Identifier: Apache-2.0
#include "refused_secret.h"

#include <string.h>

#include "mem.h"

void
refused_secret_forget(struct refused_secret *r)
{
	mem_free_secret(r->value);
	r->value = NULL;
}

void
refused_secret_remember(struct refused_secret *r, const struct secret *secret)
{
	struct err ignored;

	refused_secret_forget(r);
	if (secret_read(secret, &r->value, &ignored) != 0)
		r->value = NULL;
}

bool
refused_secret_changed(const struct refused_secret *r, const struct secret *secret)
{
	struct err ignored;
	char *now = NULL;
	bool changed = false;

	if (r->value != NULL && secret_read(secret, &now, &ignored) == 0)
		changed = strcmp(r->value, now) != 0;
	mem_free_secret(now);
	return changed;
}

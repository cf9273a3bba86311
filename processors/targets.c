// SPDX-License-Identifier: Apache-2.0
/* The list of an event's targets. */
#include <stdlib.h>

#include "mem.h"
#include "processor.h"

void
targets_add(struct targets *targets, const char *name)
{
	targets->target = mem_grow_for(
		targets->target, targets->n, &targets->cap, sizeof(*targets->target));
	targets->target[targets->n++].name = mem_strdup(name);
}

void
targets_clear(struct targets *targets)
{
	while (targets->n > 0)
		free(targets->target[--targets->n].name);
}

void
targets_free(struct targets *targets)
{
	targets_clear(targets);
	free(targets->target);
	*targets = (struct targets){ .target = NULL };
}

// SPDX-License-Identifier: Apache-2.0
/* The backends that are built in, one line each in list.h. */
#include <string.h>

#include "processor.h"

#define PROCESSOR(name) extern const struct processor processor_##name;
#include "list.h"
#undef PROCESSOR

const struct processor *const processor_list[] = {
#define PROCESSOR(name) &processor_##name,
#include "list.h"
#undef PROCESSOR
	NULL,
};

const struct processor *
processor_find(const char *type)
{
	for (size_t i = 0; processor_list[i] != NULL; i++)
		if (strcmp(processor_list[i]->type, type) == 0)
			return processor_list[i];
	return NULL;
}

int
processor_route(const struct processor *p, void *self, const struct event *ev, struct targets *targets, struct err *err)
{
	if (p->route != NULL)
		return p->route(self, ev, targets, err);
	targets_add(targets, "");
	return 0;
}

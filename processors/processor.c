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

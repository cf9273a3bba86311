// SPDX-License-Identifier: Apache-2.0
/* The readers of the older files; each adds to the plan what its file has. */
#ifndef VCOURIER_IMPORT_READ_H
#define VCOURIER_IMPORT_READ_H

#include <stddef.h>

#include "import_plan.h"

/*
 * VSphereSource and HorizonSource of all files together, with the Secrets and Triggers that
 * belong to them.
 */
void import_manifest_read(
	struct import_plan *plan, const struct config *const *configs, size_t n);

void import_router_read(struct import_plan *plan, const struct config *config);
void import_values_read(struct import_plan *plan, const struct config *config);

/* file: its name, for the report. */
void import_properties_read(struct import_plan *plan, const char *file, const char *text);

/* A boolean as the old files have it: true, "True", "yes" of a form, "1". */
bool import_router_true(const char *text);

#endif

// SPDX-License-Identifier: Apache-2.0
/* vcourier check --connect: tries a source of events. */
#ifndef VCOURIER_CONNECT_SOURCE_H
#define VCOURIER_CONNECT_SOURCE_H

#include "checklist.h"
#include "source_choice.h"

/* name: of the eventProvider. */
void connect_source(
	struct checklist *list, const char *name, const struct source_choice *choice);

#endif

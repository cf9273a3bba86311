// SPDX-License-Identifier: Apache-2.0
/* The webhook as a source of events (source.h): it receives CloudEvents and plain JSON. */
#ifndef VCOURIER_WEBHOOK_SOURCE_H
#define VCOURIER_WEBHOOK_SOURCE_H

#include "source.h"

extern const struct source webhook_source; /* its options: struct webhook_options */

#endif

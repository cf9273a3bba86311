// SPDX-License-Identifier: Apache-2.0
/* VMware Horizon as a source of events (source.h): its audit events. */
#ifndef VCOURIER_HORIZON_SOURCE_H
#define VCOURIER_HORIZON_SOURCE_H

#include "source.h"

extern const struct source horizon_source; /* its options: struct horizon_options */

#endif

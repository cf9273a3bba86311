// SPDX-License-Identifier: Apache-2.0
/* vCenter as a source of events (source.h): one session, one live collector, and its checks. */
#ifndef VCOURIER_VCENTER_SOURCE_H
#define VCOURIER_VCENTER_SOURCE_H

#include "source.h"

extern const struct source vcenter_source; /* its options: struct vcenter_options */

#endif

// SPDX-License-Identifier: Apache-2.0
/* What vcourier-collector is: for its main, and for the manual pages and the completion. */
#ifndef VCOURIER_COLLECTOR_SPEC_H
#define VCOURIER_COLLECTOR_SPEC_H

#include "daemon.h"

extern const struct daemon_spec collector_spec;

#endif

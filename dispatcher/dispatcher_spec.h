// SPDX-License-Identifier: Apache-2.0
/* What vcourier-dispatcher is: for its main, and for the manual pages and the completion. */
#ifndef VCOURIER_DISPATCHER_SPEC_H
#define VCOURIER_DISPATCHER_SPEC_H

#include "daemon.h"

extern const struct daemon_spec dispatcher_spec;

#endif

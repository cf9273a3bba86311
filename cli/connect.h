// SPDX-License-Identifier: Apache-2.0
/* vcourier check --connect: tries what a configuration names. */
#ifndef VCOURIER_CONNECT_H
#define VCOURIER_CONNECT_H

#include "deployment.h"

/* Prints a checklist line ("ok" or "FAILED", what, why) for each; -1 when any failed. */
int connect_check(const struct deployment *deployment);

#endif

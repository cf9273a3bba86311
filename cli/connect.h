// SPDX-License-Identifier: Apache-2.0
/* vcourier check --connect: tries the connections of a configuration. */
#ifndef VCOURIER_CONNECT_H
#define VCOURIER_CONNECT_H

#include "deployment.h"

/* Prints a line ("ok" or "FAILED", what, why) for each connection; -1 when one failed. */
int connect_check(const struct deployment *deployment);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What the dispatchers have paused, for people. */
#ifndef VCOURIER_PEERS_PRINT_H
#define VCOURIER_PEERS_PRINT_H

#include <stdio.h>

#include "peers.h"

/*
 * Prints a line for each replica of a dispatcher that is paused, with what is paused, and for
 * each list that it could not read in full.
 */
void peers_print(const struct session *s, const struct peers *p, FILE *out);

#endif

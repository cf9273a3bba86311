// SPDX-License-Identifier: Apache-2.0
/*
 * A password that a peer refused: accounts lock after a few failures, so it is not tried again
 * soon, unless it was changed. Start with all 0.
 */
#ifndef VCOURIER_REFUSED_SECRET_H
#define VCOURIER_REFUSED_SECRET_H

#include <stdbool.h>

#include "secret.h"

struct refused_secret {
	char *value; /* NULL: none was refused */
};

void refused_secret_remember(struct refused_secret *r, const struct secret *secret);

/* It is no longer the one that was refused. False when none was. */
bool refused_secret_changed(const struct refused_secret *r, const struct secret *secret);

void refused_secret_forget(struct refused_secret *r); /* Wipes it. */

#endif

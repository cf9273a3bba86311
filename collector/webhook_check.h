// SPDX-License-Identifier: Apache-2.0
/* Whether the webhook could be served from this machine, for `vcourier check --connect`. */
#ifndef VCOURIER_WEBHOOK_CHECK_H
#define VCOURIER_WEBHOOK_CHECK_H

#include "buf.h"
#include "err.h"
#include "webhook_options.h"

/*
 * Reads the certificate, the key and the secret of each path, and binds the address for a
 * moment. An address that is in use is no failure: the collector may be running. text: what was
 * found. -1: err says what cannot be used.
 */
int webhook_check(const struct webhook_options *options, struct buf *text, struct err *err);

#endif

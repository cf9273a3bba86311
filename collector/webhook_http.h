// SPDX-License-Identifier: Apache-2.0
/* The webhook over HTTP: opens the server (webhook_server.h) that answers requests. */
#ifndef VCOURIER_WEBHOOK_HTTP_H
#define VCOURIER_WEBHOOK_HTTP_H

#include "err.h"
#include "webhook_options.h"
#include "webhook_server.h"

/*
 * Listens. options and source, the name of the eventProvider, are borrowed. ERR_SYSTEM: the
 * port is in use; ERR_CONFIG, ERR_NOT_FOUND: certificate or key cannot be used.
 */
int webhook_http_open(struct webhook_server **server, const struct webhook_options *options,
	const char *source, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The certificate and the private key of the webhook, from files that rotate. */
#ifndef VCOURIER_WEBHOOK_TLS_H
#define VCOURIER_WEBHOOK_TLS_H

#include "err.h"

struct webhook_tls {
	char *cert, *key; /* PEM; NULL: no TLS */
};

/*
 * Reads both files and checks that the key is the certificate's. ERR_CONFIG: it is not, or a
 * file is no PEM; ERR_NOT_FOUND, ERR_SYSTEM: a file cannot be read. Free it after a success.
 */
int webhook_tls_load(
	struct webhook_tls *tls, const char *cert_file, const char *key_file, struct err *err);
void webhook_tls_free(struct webhook_tls *tls);

#endif

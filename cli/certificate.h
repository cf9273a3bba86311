// SPDX-License-Identifier: Apache-2.0
/* The certificate of a peer that is not trusted, and how to trust it. */
#ifndef VCOURIER_CERTIFICATE_H
#define VCOURIER_CERTIFICATE_H

#include "http.h"

/*
 * Prints what the certificate at this URL says, and the line of the configuration that trusts
 * it: `thumbprint` in `block` when that block has this option, else `caFile`. Nothing is sent
 * to the peer. Prints nothing when no certificate comes.
 */
struct certificate_place {
	const char *block; /* "eventProvider.vcenter" */
	bool has_thumbprint;
};
void certificate_print(struct http *http, const char *url, const struct http_peer *peer,
	const struct certificate_place *place);

#endif

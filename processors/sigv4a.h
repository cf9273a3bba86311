// SPDX-License-Identifier: Apache-2.0
/*
 * AWS Signature Version 4A: the asymmetric form, valid in several regions at once, which global
 * endpoints require. An ECDSA P-256 key is derived from the secret. The canonical request is
 * that of Version 4, but the region becomes the header x-amz-region-set.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
#ifndef VCOURIER_SIGV4A_H
#define VCOURIER_SIGV4A_H

#include <openssl/types.h>

#include "sigv4.h"

struct sigv4a {
	char *service, *region_set, *access_key, *token; /* token NULL: none */
	EVP_PKEY *key;                                   /* NULL: no credentials yet */
};

/* region_set: "*", or names separated by commas. */
void sigv4a_init(struct sigv4a *s, const char *service, const char *region_set);
void sigv4a_free(struct sigv4a *s);

/* Copies the credentials and derives the key; token may be NULL or "". */
int sigv4a_set_credentials(struct sigv4a *s, const char *access_key, const char *secret_key,
	const char *token, struct err *err);

/*
 * Appends the value of Authorization. The request must then be sent with X-Amz-Date,
 * X-Amz-Region-Set and, if there is one, X-Amz-Security-Token.
 */
int sigv4a_sign(struct sigv4a *s, const struct sigv4_request *request, int64_t now_s,
	struct buf *authorization, struct err *err);

#endif

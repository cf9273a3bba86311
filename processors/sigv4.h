// SPDX-License-Identifier: Apache-2.0
/*
 * AWS Signature Version 4, pure: from credentials, a request and a time it makes the
 * Authorization header.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 * (libcurl 7.88 signs too, but sends X-Amz-Date twice when the caller sets it, as a skewed
 * clock requires.)
 */
#ifndef VCOURIER_SIGV4_H
#define VCOURIER_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum { SIGV4_DATE_SIZE = 17, SIGV4_HEADERS_MAX = 32 };

struct sigv4_header {
	const char *name, *value;
};

/*
 * The request to sign. All its headers are signed; x-amz-date and x-amz-security-token are
 * added.
 */
struct sigv4_request {
	const char *method;
	const char *path;  /* as it is sent, percent-encoded; "" is "/" */
	const char *query; /* as it is sent, without the question mark; "" for none */
	const struct sigv4_header *header; /* including host */
	size_t n_headers;
	const void *body;
	size_t body_len;
};

/*
 * A signer: one service in one region with one set of credentials. The key of the day is
 * computed once.
 */
struct sigv4 {
	char *service, *region;
	char *access_key, *secret_key, *token; /* token NULL: none */
	char day[9];                           /* of `key`; "" when there is none */
	unsigned char key[32];
	struct buf canonical, text; /* scratch */
};

void sigv4_init(struct sigv4 *s, const char *service, const char *region);
void sigv4_free(struct sigv4 *s); /* wipes the secrets */

/* Copies the credentials; token may be NULL or "". */
void sigv4_set_credentials(
	struct sigv4 *s, const char *access_key, const char *secret_key, const char *token);

/* The value of X-Amz-Date: "20261122T101112Z". */
void sigv4_date(int64_t now_s, char date[SIGV4_DATE_SIZE]);

/*
 * Appends the value of Authorization. The request must then be sent with X-Amz-Date of the same
 * time and, if there is one, X-Amz-Security-Token. ERR_LIMIT: too many headers.
 */
int sigv4_sign(struct sigv4 *s, const struct sigv4_request *request, int64_t now_s,
	struct buf *authorization, struct err *err);

/*
 * For the signers: the canonical request, and the names of the signed headers
 * ("host;x-amz-date"). more: headers to sign beside those of the request; its name is NULL at
 * the end.
 */
int sigv4_canonical(const struct sigv4_request *request, const struct sigv4_header *more,
	struct buf *canonical, struct buf *names, struct err *err);

/* Appends SHA-256 of the bytes in lower-case hex. */
void sigv4_add_hash(struct buf *out, const void *data, size_t len);
void sigv4_add_hex(struct buf *out, const unsigned char *data, size_t len);

#endif

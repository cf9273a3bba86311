// SPDX-License-Identifier: Apache-2.0
/* Who may send events to a path of the webhook: RFC 7617 (basic), RFC 6750 (bearer). */
#ifndef VCOURIER_WEBHOOK_AUTH_H
#define VCOURIER_WEBHOOK_AUTH_H

#include "err.h"
#include "webhook_options.h"

/*
 * The status to answer with. 0: the sender may; 401: it may not; 503: the secret cannot be
 * read, err says why. authorization: the header's value, NULL: there is none. Reads the secret
 * of the path; takes the same time for every wrong one.
 */
unsigned webhook_auth_check(
	const struct webhook_path *path, const char *authorization, struct err *err);

/* The value of WWW-Authenticate for 401. */
const char *webhook_auth_challenge(const struct webhook_path *path);

#endif

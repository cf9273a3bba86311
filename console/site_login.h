// SPDX-License-Identifier: Apache-2.0
/*
 * /api/session, /api/login and /api/logout: who the user is, by a password or by the word of a
 * proxy.
 */
#ifndef VCOURIER_SITE_LOGIN_H
#define VCOURIER_SITE_LOGIN_H

#include "api.h"

#define SITE_COOKIE "vcourier_session"

struct site_login;

/* Both are borrowed. */
struct site_login *site_login_open(
	const struct console_options *options, struct sessions *sessions);
void site_login_close(struct site_login *login);

/* False: the path is another one. */
bool site_login_handle(struct site_login *login, struct api_call *call);

/* Ends the sessions of users that the users file no longer has as they were. */
void site_login_check_users(struct site_login *login);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * What the server answers: the files of the page to everybody, the API to users. Every request
 * must name this console (Host); one to the API must come from its own page (Origin) and have a
 * session; one that changes something must also have the session's CSRF token, and the role
 * operator.
 */
#ifndef VCOURIER_SITE_H
#define VCOURIER_SITE_H

#include "console_options.h"
#include "server.h"
#include "sessions.h"

struct console;
struct site;

/* All are borrowed. The sessions outlive a change of the configuration. */
struct site *site_open(struct console *console, const struct console_options *options,
	struct sessions *sessions);
void site_close(struct site *site);

/* Fits server_options. */
void site_handle(void *site, const struct server_request *request, struct server_reply *reply);

/* The users file has changed: ends the sessions of users that are not as they were. */
void site_check_users(struct site *site);

#endif

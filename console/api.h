// SPDX-License-Identifier: Apache-2.0
/*
 * The API of the page: one function for each path. A function gets a request that site.c has
 * admitted, and writes JSON.
 */
#ifndef VCOURIER_API_H
#define VCOURIER_API_H

#include <cjson/cJSON.h>

#include "console.h"
#include "server.h"
#include "sessions.h"

struct api_call {
	struct console *console;
	const struct server_request *request;
	const struct login *login;
	const cJSON *body;         /* of a POST: an object */
	struct sessions *sessions; /* a stream ends with the session of this token */
	const char *token;
	struct server_reply *reply;
};

typedef void api_function(struct api_call *call);

api_function api_status, api_live, api_events, api_event, api_names, api_dead, api_letter,
	api_change_letters, api_replay, api_job, api_cancel, api_catalogue, api_try;

/* {"error":text} with this status. */
void api_fail(struct api_call *call, unsigned status, const char *fmt, ...) ERR_PRINTF(3, 4);
/* The same of an error, with the status that fits its code. */
void api_fail_err(struct api_call *call, const struct err *err);

/* An argument of the query, "" when there is none; false: it is longer than size - 1. */
bool api_argument(struct api_call *call, const char *name, char *out, size_t size);
/* A number from min to max; def when there is none; false: another text. */
struct api_range {
	int64_t def, min, max;
};
bool api_number(struct api_call *call, const char *name, struct api_range range, int64_t *out);

/* The filter that the query describes; false: the reply says what is wrong in it. */
struct row_filter;
bool api_filter(struct api_call *call, struct row_filter *filter);

/* Borrows a session; NULL: the reply says why not. */
struct session *api_session(struct api_call *call);
void api_session_done(struct api_call *call, struct session *session);

#endif

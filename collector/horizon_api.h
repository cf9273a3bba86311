// SPDX-License-Identifier: Apache-2.0
/*
 * Horizon's REST API: the session, and pages of audit events.
 *
 *     POST /rest/login     domain, user, password: an access token (30 min) and a refresh token
 *                          (8 h)
 *     POST /rest/refresh   the refresh token: another access token, after a 401
 *     POST /rest/logout    the refresh token
 *     GET  /rest/external/v1/audit-events
 *
 * https://developer.broadcom.com/xapis/vmware-horizon-server-api/latest/
 */
#ifndef VCOURIER_HORIZON_API_H
#define VCOURIER_HORIZON_API_H

#include <stdbool.h>
#include <stdint.h>

#include "horizon_events.h"
#include "horizon_options.h"
#include "http.h"
#include "source_clock.h"

struct horizon_api;

/* The options are borrowed until close. Sends nothing. */
void horizon_api_open(
	struct horizon_api **api, struct http *http, const struct horizon_options *options);
void horizon_api_close(struct horizon_api *api); /* logs out; NULL is fine */

/*
 * Logs in when there is no session; *fresh: it did. ERR_AUTH: domain, user or password are
 * wrong.
 */
int horizon_api_connect(struct horizon_api *api, bool *fresh, struct err *err);
bool horizon_api_has_session(const struct horizon_api *api);
void horizon_api_logout(struct horizon_api *api);

/* Which events to ask for: both times are inclusive. */
struct horizon_query {
	int64_t from_ms, to_ms;
	int64_t page, size; /* the first page is 1 */
};

/*
 * Reads a page, after a refresh when the access token has expired. *more: the reply says that
 * others follow. ERR_NOT_FOUND: the session is gone, log in again; ERR_FORBIDDEN: the account
 * may not read events; ERR_LIMIT: the page has too many bytes; ERR_PROTOCOL: no page.
 */
int horizon_api_read(struct horizon_api *api, const struct horizon_query *query,
	struct horizon_page *page, bool *more, struct err *err);

/*
 * The server's clock at the last reply, by its Date header; this machine's when it has none.
 */
const struct source_clock *horizon_api_clock(const struct horizon_api *api);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Shared by the jetstream_*.c files: a request to $JS.API and its JSON reply. */
#ifndef VCOURIER_JETSTREAM_API_H
#define VCOURIER_JETSTREAM_API_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "buf.h"
#include "bus.h"

enum { JS_API_TIMEOUT_MS = 5000, JS_NAME_MAX = 512 };

/*
 * One request; *reply is the caller's (cJSON_Delete). An API error becomes ERR_NOT_FOUND,
 * ERR_FULL, ERR_TIMEOUT (a cluster without a leader), ERR_CONFLICT or ERR_PROTOCOL. Returns 0,
 * the err_code of the reply, or -1.
 */
int jetstream_call(struct bus *bus, const char *subject, const struct buf *body, cJSON **reply,
	struct err *err);

/*
 * The reply to a request to this subject as JSON, which is the caller's. Returns as
 * jetstream_call does.
 */
int jetstream_reply(
	const char *subject, const struct bus_msg *msg, cJSON **reply, struct err *err);

/*
 * A code of the member "error" of a reply; 0 when it is missing, or is no code that an int
 * holds.
 */
int jetstream_error_code(const cJSON *error, const char *name);

/* Appends "name is X, configured Y" to a list of differences when the two are not equal. */
void jetstream_differs(char *list, size_t size, const char *name, double is, double wanted);

/*
 * Whether the stream or consumer of an INFO reply is in a cluster, and who leads it: "" without
 * a cluster, or when it has no leader at the moment. From 2.10 on a single server names itself
 * as the leader, but has no cluster name.
 */
bool jetstream_clustered(const cJSON *reply);
const char *jetstream_leader(const cJSON *reply);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What the jetstream_*.c files share: a request to $JS.API and its JSON reply. */
#ifndef VCOURIER_JETSTREAM_API_H
#define VCOURIER_JETSTREAM_API_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "buf.h"
#include "bus.h"

enum { JS_API_TIMEOUT_MS = 5000, JS_NAME_MAX = 512 };

/*
 * One request; *reply is the caller's (cJSON_Delete). An API error becomes ERR_NOT_FOUND,
 * ERR_FULL, ERR_TIMEOUT (a cluster without a leader), ERR_CONFLICT or ERR_PROTOCOL, and
 * its err_code is the result if there is one.
 */
int jetstream_call(struct bus *bus, const char *subject, const struct buf *body, cJSON **reply,
	struct err *err);

/* Appends "name is X, configured Y" to a list of differences when the two are not equal. */
void jetstream_differs(char *list, size_t size, const char *name, double is, double wanted);

/*
 * Whether the stream or consumer of an INFO reply is in a cluster, and who leads it: "" without
 * a cluster, or without a leader just now. A server alone names itself the leader from 2.10 on,
 * but no cluster.
 */
bool jetstream_clustered(const cJSON *reply);
const char *jetstream_leader(const cJSON *reply);

#endif

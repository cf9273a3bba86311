// SPDX-License-Identifier: Apache-2.0
/*
 * The state of a deployment, as `vcourier status` and the console show it: streams, collectors,
 * dispatchers.
 */
#ifndef VCOURIER_STATUS_MODEL_H
#define VCOURIER_STATUS_MODEL_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "peers.h"
#include "session.h"

/*
 * Looks at everything now; the caller's. A JSON object, which `--json` prints;
 * docs/operations.md has its members. After session_sources, session_dispatchers and
 * peers_ask.
 */
cJSON *status_model_look(struct session *s, const struct peers *peers);

/* False: something is missing, does not answer, has failed or is paused. */
bool status_model_is_well(const cJSON *model);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The settings of a stream as JetStream's StreamConfig. */
#ifndef VCOURIER_STREAM_SETTINGS_H
#define VCOURIER_STREAM_SETTINGS_H

#include <cjson/cJSON.h>

#include "buf.h"
#include "jetstream.h"

void stream_settings_write(struct buf *out, const struct stream_config *wanted);

/*
 * Lists in info->differs what is not as wanted. config: the member of that name in the server's
 * reply. A placement counts only when one is wanted: an operator may have moved the stream.
 */
void stream_settings_compare(
	const cJSON *config, const struct stream_config *wanted, struct stream_info *info);

#endif

// SPDX-License-Identifier: Apache-2.0
/* How large a message of a stream may be. */
#ifndef VCOURIER_MESSAGE_LIMIT_H
#define VCOURIER_MESSAGE_LIMIT_H

#include <stddef.h>

#include "bus.h"
#include "err.h"
#include "jetstream.h"

/*
 * The server's max_payload or the stream's max_msg_size, in bytes. ERR_FULL: it is less than
 * `need`. Then nothing is sent: to refuse some events for good would be a loss, and the source
 * keeps them. ERR_CONNECT: not connected.
 */
int message_limit_find(struct bus *bus, const struct stream_info *info, size_t need,
	size_t *out, struct err *err);

#endif

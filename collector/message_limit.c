// SPDX-License-Identifier: Apache-2.0
#include "message_limit.h"

#include <inttypes.h>

int
message_limit_find(struct bus *bus, const struct stream_info *info, size_t need, size_t *out,
	struct err *err)
{
	int64_t max = bus_max_payload(bus);

	if (max <= 0)
		return err_set(err, ERR_CONNECT, "connection to NATS lost");
	if (info->max_msg_size > 0 && info->max_msg_size < max)
		max = info->max_msg_size;
	if ((uint64_t)max < need)
		return err_set(err, ERR_FULL,
			"a message of the stream may have %" PRId64
			" bytes, an event needs up to %zu: "
			"raise max_payload of NATS or max_msg_size of the stream",
			max, need);
	*out = (size_t)max;
	return 0;
}

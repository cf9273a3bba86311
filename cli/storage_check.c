// SPDX-License-Identifier: Apache-2.0
#include "storage_check.h"

#include <inttypes.h>

#include "stream_storage.h"

bool
storage_check(
	struct bus *bus, const struct bus_config *config, size_t missing, struct buf *found)
{
	int64_t each = config->stream.max_bytes;
	uint64_t wanted = (uint64_t)(each > 0 ? each : 0) * missing *
		(uint64_t)config->stream.replicas;
	struct stream_storage storage;
	struct err err;

	if (wanted == 0 || stream_storage_look(bus, &storage, &err) != 0 ||
		stream_storage_add_up(bus, &storage, &err) != 0)
		return true;
	if (storage.max != 0 &&
		(storage.reserved > storage.max || wanted > storage.max - storage.reserved)) {
		buf_printf(found,
			"maxBytes %" PRId64 " for each of %zu streams to create: %" PRIu64
			" bytes; the account may use %" PRIu64 ", of which %" PRIu64
			" are reserved",
			each, missing, wanted, storage.max, storage.reserved);
		return false;
	}
	buf_printf(found,
		"%zu streams to create reserve %" PRIu64 " bytes (maxBytes %" PRId64 " each)%s",
		missing, wanted, each,
		storage.max != 0 ? "" : "; max_file_store of nats-server must have room");
	return true;
}

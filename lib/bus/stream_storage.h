// SPDX-License-Identifier: Apache-2.0
/*
 * The storage that streams reserve. A stream with max_bytes reserves that many when it is
 * created, whatever it holds: nats-server refuses one for which there is no room left.
 * https://docs.nats.io/running-a-nats-service/configuration/resource_management
 */
#ifndef VCOURIER_STREAM_STORAGE_H
#define VCOURIER_STREAM_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "jetstream.h"

struct stream_storage {
	uint64_t streams; /* of this account */
	bool reserved_known;
	uint64_t reserved; /* bytes, by these streams */
	/*
	 * bytes that the account may use; 0: it has no limit of its own. The server does not
	 * report its own limit, max_file_store, to clients
	 */
	uint64_t max;
};

int stream_storage_look(struct bus *bus, struct stream_storage *storage, struct err *err);
/*
 * nats-server before 2.11 does not say what is reserved: adds it up over a list of the streams,
 * for a user who may list them.
 */
int stream_storage_add_up(struct bus *bus, struct stream_storage *storage, struct err *err);

/*
 * Replaces an error of the creation of a stream, when storage is what it lacks, by one that has
 * the numbers. code: the API's error code.
 */
void stream_storage_explain(
	struct bus *bus, const struct stream_config *config, int code, struct err *err);

#endif

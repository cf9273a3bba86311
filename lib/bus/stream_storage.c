// SPDX-License-Identifier: Apache-2.0
#include "stream_storage.h"

#include <inttypes.h>
#include <stdio.h>

#include "jetstream_api.h"
#include "json_member.h"

/* nats-server's errors.json */
enum {
	ACCOUNT_RESOURCES = 10002,
	STORAGE_RESOURCES = 10047,
};

enum { STREAMS_MAX = 10 * 1000 };

int
stream_storage_look(struct bus *bus, struct stream_storage *storage, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	int64_t max;

	snprintf(subject, sizeof(subject), "%s.INFO", bus_api_prefix(bus));
	if (jetstream_call(bus, subject, NULL, &reply, err) != 0)
		return -1;
	max = json_member_int(json_member(reply, "limits"), "max_storage");
	*storage = (struct stream_storage){
		.streams = json_member_uint(reply, "streams"),
		.reserved_known = json_member(reply, "reserved_storage") != NULL,
		.reserved = json_member_uint(reply, "reserved_storage"),
		.max = max > 0 ? (uint64_t)max : 0,
	};
	cJSON_Delete(reply);
	return 0;
}

/* Adds what the streams of a page of the list reserve; *n: streams in it. */
static uint64_t
add_reserved(uint64_t sum, const cJSON *reply, size_t *n)
{
	const cJSON *stream;

	*n = 0;
	cJSON_ArrayForEach(stream, json_member(reply, "streams")) {
		const cJSON *config = json_member(stream, "config");
		/* -1: no limit */
		uint64_t bytes = json_member_uint(config, "max_bytes");
		uint64_t replicas = json_member_uint(config, "num_replicas");

		if (replicas > 0)
			sum = bytes > (UINT64_MAX - sum) / replicas ? UINT64_MAX
								    : sum + bytes * replicas;
		++*n;
	}
	return sum;
}

int
stream_storage_add_up(struct bus *bus, struct stream_storage *storage, struct err *err)
{
	char subject[JS_NAME_MAX];
	size_t offset = 0, n = 1;
	uint64_t sum = 0;

	if (storage->reserved_known)
		return 0;
	snprintf(subject, sizeof(subject), "%s.STREAM.LIST", bus_api_prefix(bus));
	while (n > 0 && offset < STREAMS_MAX) {
		cJSON *reply = NULL;
		struct buf body;
		int rc;

		buf_init(&body, 64);
		buf_printf(&body, "{\"offset\":%zu}", offset);
		rc = jetstream_call(bus, subject, &body, &reply, err);
		buf_free(&body);
		if (rc != 0)
			return -1;
		sum = add_reserved(sum, reply, &n);
		offset += n;
		if (offset >= json_member_uint(reply, "total"))
			n = 0;
		cJSON_Delete(reply);
	}
	storage->reserved = sum;
	storage->reserved_known = true;
	return 0;
}

void
stream_storage_explain(
	struct bus *bus, const struct stream_config *config, int code, struct err *err)
{
	struct stream_storage s;
	char limit[64] = "max_file_store of nats-server leaves less", others[64] = "";
	struct err other;

	if ((code != STORAGE_RESOURCES && code != ACCOUNT_RESOURCES) ||
		config->max_bytes <= 0 || stream_storage_look(bus, &s, &other) != 0)
		return;
	if (s.max != 0)
		snprintf(limit, sizeof(limit), "the account may use %" PRIu64, s.max);
	if (s.reserved_known)
		snprintf(others, sizeof(others), ", which reserve %" PRIu64, s.reserved);
	err_set(err, err->code,
		"no room for maxBytes %" PRId64 " bytes beside %" PRIu64
		" streams%s: %s (%d); raise that limit, or lower maxBytes of a stream that is new",
		config->max_bytes, s.streams, others, limit, code);
}

// SPDX-License-Identifier: Apache-2.0
#include "bucket.h"

#include <string.h>

#include "protocol.h"

#define BUCKET_STREAM KV_STREAM(CHECKPOINT_BUCKET)

enum {
	TIMEOUT_MS = 2000,
	SUBJECT_MAX = 512,
	RETRY_MS = 1000,
	FORBIDDEN_MS = 10 * 60 * 1000, /* until a write that is not permitted is tried again */
	START_MS = 15 * 1000,          /* the collector may start later and create the bucket */
};

static void
set_subject(struct buf *subject, const char *key)
{
	buf_init(subject, SUBJECT_MAX);
	buf_printf(subject, KV_SUBJECT(CHECKPOINT_BUCKET) "%s", key);
}

int
bucket_get(struct bus *bus, const char *key, struct stream_msg *msg, struct err *err)
{
	struct stream_info info;
	struct buf subject;
	int failed;

	if (jetstream_stream_look(bus, BUCKET_STREAM, &info, err) != 0)
		return -1;
	set_subject(&subject, key);
	failed = jetstream_stream_get(
		bus, &(struct message_query){ BUCKET_STREAM, 0, buf_str(&subject) }, msg, err);
	buf_free(&subject);
	return failed;
}

int
bucket_put(struct bus *bus, const char *key, const void *value, size_t len, struct err *err)
{
	struct pub_ack ack;
	struct buf subject;
	struct bus_out out = { .data = value, .len = len };
	int failed;

	set_subject(&subject, key);
	out.subject = buf_str(&subject);
	failed = jetstream_publish(bus, &out, TIMEOUT_MS, &ack, err);
	buf_free(&subject);
	return failed;
}

bool
bucket_is_forbidden(struct bus *bus)
{
	struct err why = { .code = ERR_NONE };

	bus_last_error(bus, &why);
	return why.code == ERR_FORBIDDEN && strstr(why.text, CHECKPOINT_BUCKET) != NULL;
}

bool
bucket_failed(
	struct bucket_failure *failure, struct bus *bus, enum err_code code, int64_t now_ms)
{
	bool forbidden = bucket_is_forbidden(bus), starting;

	if (failure->since_ms == 0)
		failure->since_ms = now_ms;
	failure->due_ms = now_ms + (forbidden ? FORBIDDEN_MS : RETRY_MS);
	starting = !forbidden && code != ERR_LIMIT && now_ms - failure->since_ms < START_MS;
	if (failure->logged || starting)
		return false;
	failure->logged = true;
	return true;
}

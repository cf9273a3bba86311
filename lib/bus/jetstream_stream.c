// SPDX-License-Identifier: Apache-2.0
/* Streams: create, look up, read one message. */
#define _DEFAULT_SOURCE
#include "base64.h"
#include "jetstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "header_block.h"
#include "jetstream_api.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"
#include "protocol.h"
#include "stream_settings.h"
#include "stream_storage.h"
#include "text.h"
#include "stop.h"

/* the largest max_payload that a server accepts */
enum { MESSAGE_BYTES_MAX = 64 * 1024 * 1024 };
enum {
	/*
	 * time that another client may need to create a stream, and the stream to elect a
	 * leader
	 */
	MAKING_MS = 20,
	MAKING_TRIES = 50,
	ABSENT_TRIES = 10,
};

static void
read_info(const cJSON *reply, struct stream_info *info)
{
	const cJSON *state = json_member(reply, "state");
	/* -1: no limit */
	const cJSON *config = json_member(reply, "config");
	int64_t size = json_member_int(config, "max_msg_size");
	int64_t max = json_member_int(config, "max_bytes");
	const char *created = json_member_text(reply, "created");

	*info = (struct stream_info){
		.first_seq = json_member_uint(state, "first_seq"),
		.last_seq = json_member_uint(state, "last_seq"),
		.messages = json_member_uint(state, "messages"),
		.bytes = json_member_uint(state, "bytes"),
		.max_bytes = max > 0 ? max : 0,
		.max_msg_size = size > 0 ? size : 0,
	};
	clock_parse(created, strlen(created), &info->created_us);
	snprintf(info->leader, sizeof(info->leader), "%s", jetstream_leader(reply));
}

static int
look(struct bus *bus, const char *name, const struct stream_config *config,
	struct stream_info *info, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;

	snprintf(subject, sizeof(subject), "%s.STREAM.INFO.%s", bus_api_prefix(bus), name);
	for (int tries = 0; reply == NULL; tries++) {
		const char *lacks;

		if (jetstream_call(bus, subject, NULL, &reply, err) != 0)
			return err_wrap(err, "stream %s", name);
		read_info(reply, info);
		/*
		 * year 1: nats-server 2.9 lists the stream and has no store for it yet; another
		 * request for it may crash the server
		 */
		lacks = info->created_us < 0 ? "it is being created"
			: info->leader[0] == '\0' && jetstream_clustered(reply)
			? "it has no leader at the moment"
			: NULL;
		if (lacks == NULL)
			break;
		cJSON_Delete(reply);
		reply = NULL;
		if (tries == MAKING_TRIES || stop_sleep(MAKING_MS))
			return err_set(err, ERR_TIMEOUT, "stream %s: %s", name, lacks);
	}
	if (config != NULL)
		stream_settings_compare(json_member(reply, "config"), config, info);
	cJSON_Delete(reply);
	return 0;
}

int
jetstream_stream_look(
	struct bus *bus, const char *name, struct stream_info *info, struct err *err)
{
	return look(bus, name, NULL, info, err);
}

/*
 * -1 with ERR_NOT_FOUND: it does not exist; where servers may lag, it has not existed for a
 * while.
 */
static int
look_long(struct bus *bus, const struct stream_config *config, struct stream_info *info,
	struct err *err)
{
	uint64_t reconnects = bus_reconnects(bus);
	int tries = bus_clustered(bus) ? ABSENT_TRIES : 0;

	while (look(bus, config->name, config, info, err) != 0) {
		if (err->code != ERR_NOT_FOUND || tries-- == 0)
			return -1;
		if (stop_sleep(ABSENT_MS / ABSENT_TRIES) || bus_reconnects(bus) != reconnects)
			return err_set(err, ERR_TIMEOUT,
				"stream %s: not found, but the servers may lag", config->name);
	}
	return 0;
}

int
jetstream_stream_ensure(struct bus *bus, const struct stream_config *config,
	struct stream_info *info, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	struct buf body;
	int failed;

	if (look_long(bus, config, info, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	buf_init(&body, 16 * 1024);
	stream_settings_write(&body, config);
	snprintf(subject, sizeof(subject), "%s.STREAM.CREATE.%s", bus_api_prefix(bus),
		config->name);
	failed = jetstream_call(bus, subject, &body, &reply, err);
	buf_free(&body);
	if (failed && err->code != ERR_CONFLICT) {
		stream_storage_explain(bus, config, failed, err);
		return err_wrap(err, "create stream %s", config->name);
	}
	cJSON_Delete(reply);
	/* another client may have created it meanwhile, with other settings */
	return look(bus, config->name, config, info, err);
}

/*
 * Go's encoding/json writes []byte as base64. "" when the member is missing or is not base64.
 */
static char *
decode_member(const cJSON *message, const char *name, size_t *len)
{
	const char *text = json_member_text(message, name);
	struct buf out;

	buf_init(&out, MESSAGE_BYTES_MAX);
	base64_decode(&out, text, strlen(text));
	return buf_take(&out, len);
}

int
jetstream_stream_get(struct bus *bus, const struct message_query *query, struct stream_msg *msg,
	struct err *err)
{
	char subject[JS_NAME_MAX];
	const cJSON *m;
	const char *time;
	cJSON *reply = NULL;
	struct buf body;
	size_t ignored;
	int failed;

	buf_init(&body, 4096);
	buf_add_char(&body, '{');
	if (query->seq != 0)
		buf_printf(&body, "\"seq\":%llu%s", (unsigned long long)query->seq,
			query->subject ? "," : "");
	if (query->subject != NULL) {
		buf_add_str(&body, query->seq != 0 ? "\"next_by_subj\":" : "\"last_by_subj\":");
		json_add_string(&body, query->subject, strlen(query->subject));
	}
	buf_add_char(&body, '}');
	snprintf(subject, sizeof(subject), "%s.STREAM.MSG.GET.%s", bus_api_prefix(bus),
		query->stream);
	failed = jetstream_call(bus, subject, &body, &reply, err);
	buf_free(&body);
	if (failed)
		return -1;
	m = json_member(reply, "message");
	time = json_member_text(m, "time");
	*msg = (struct stream_msg){
		.seq = json_member_uint(m, "seq"),
		.subject = mem_strdup(json_member_text(m, "subject")),
	};
	msg->headers = decode_member(m, "hdrs", &ignored);
	msg->data = decode_member(m, "data", &msg->len);
	clock_parse(time, strlen(time), &msg->time_us);
	cJSON_Delete(reply);
	return 0;
}

/* The name of the stream in a reply subject: the token before the consumer's name. */
static bool
stream_of(const char *reply, char *name, size_t size)
{
	const char *p = reply;
	size_t tokens = 1;

	for (const char *c = reply; *c != '\0'; c++)
		tokens += *c == '.';
	/* skips $JS.ACK, and <domain>.<account> in the long form */
	for (size_t skip = tokens > 9 ? 4 : 2; skip != 0; skip--)
		p = strchr(p, '.') + 1;
	snprintf(name, size, "%.*s", (int)strcspn(p, "."), p);
	return strcspn(p, ".") < size;
}

/* The headers of a structured event are needed only when it is a replay for one target. */
static bool
needs_headers(const struct bus_msg *msg)
{
	const char *type;

	if (!bus_msg_find_header(msg, HEADER_CONTENT_TYPE, &type))
		return true;
	if (type != NULL && strncasecmp(type, "application/cloudevents", 23) == 0 &&
		!text_starts(bus_msg_subject(msg), REPLAY_PREFIX "."))
		return false;
	return bus_msg_headers_doubtful(msg);
}

int
jetstream_read_headers(struct bus *bus, struct bus_msg *msg, struct err *err)
{
	struct stream_msg stored;
	struct jetstream_meta d;
	char stream[JS_NAME_MAX];

	if (!jetstream_meta_parse(bus_msg_reply(msg), &d) || !needs_headers(msg) ||
		!stream_of(bus_msg_reply(msg), stream, sizeof(stream)))
		return 0;
	if (jetstream_stream_get(bus, &(struct message_query){ stream, d.stream_seq, NULL },
		    &stored, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0
						  : err_wrap(err, "headers of %s %llu", stream,
							    (unsigned long long)d.stream_seq);
	/* after a power cut of NATS another message may have its sequence */
	if (stored.time_us == d.time_us)
		bus_msg_set_headers(msg, stored.headers);
	jetstream_msg_free(&stored);
	return 0;
}

int
jetstream_stream_delete_msg(struct bus *bus, const char *stream, uint64_t seq, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	struct buf body;
	int failed;

	buf_init(&body, 64);
	buf_printf(&body, "{\"seq\":%llu,\"no_erase\":true}", (unsigned long long)seq);
	snprintf(subject, sizeof(subject), "%s.STREAM.MSG.DELETE.%s", bus_api_prefix(bus),
		stream);
	failed = jetstream_call(bus, subject, &body, &reply, err);
	buf_free(&body);
	if (failed)
		return err_wrap(
			err, "delete message %llu of %s", (unsigned long long)seq, stream);
	cJSON_Delete(reply);
	return 0;
}

void
jetstream_msg_free(struct stream_msg *msg)
{
	free(msg->subject);
	free(msg->headers);
	free(msg->data);
	*msg = (struct stream_msg){ .seq = 0 };
}

bool
jetstream_msg_header(const char *headers, const char *name, char *buf, size_t size)
{
	struct header_line line;

	while (header_block_next(&headers, &line)) {
		if (line.name_len != strlen(name) ||
			strncasecmp(line.name, name, line.name_len) != 0)
			continue;
		if (line.value_len >= size)
			return false;
		memcpy(buf, line.value, line.value_len);
		buf[line.value_len] = '\0';
		return true;
	}
	return false;
}

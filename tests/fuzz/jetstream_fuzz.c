// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a letter for what is asked of JetStream, then the replies, whatever answers. A failure
 * has a reason; a success has strings that end, and findings that agree with the numbers.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_bus.h"
#include "jetstream.h"
#include "text.h"

static const struct stream_config stream = { .name = "VC_lab",
	.subjects = { "vc.lab.>" },
	.max_age_ms = 1000,
	.max_bytes = 1 << 20,
	.duplicate_window_ms = 1000 };

static const struct consumer_config consumer = { .stream = "VC_lab",
	.name = "fn",
	.filter_subject = "vc.lab.>",
	.ack_wait_ms = 30000,
	.max_ack_pending = 100 };

static void
check_streams(struct bus *bus, char letter)
{
	struct stream_info info;
	struct err err = { .code = ERR_NONE };
	int rc = letter == 'a' ? jetstream_stream_look(bus, "VC_lab", &info, &err)
			       : jetstream_stream_ensure(bus, &stream, &info, &err);

	assert(rc == 0 || (err.code != ERR_NONE && err.text[0] != '\0'));
	if (rc != 0)
		return;
	assert(memchr(info.leader, '\0', sizeof(info.leader)) != NULL);
	assert(memchr(info.differs, '\0', sizeof(info.differs)) != NULL);
	assert(info.created_us >= 0 && info.max_msg_size >= 0 && info.max_bytes >= 0);
}

static void
check_consumers(struct bus *bus, char letter)
{
	struct consumer_config reader = { .stream = "VC_lab",
		.ack_none = true,
		.headers_only = true,
		.deliver = letter == 'e' ? DELIVER_FROM_SEQ : DELIVER_FROM_TIME,
		.inactive_ms = 1000 };
	struct consumer_info info;
	struct err err = { .code = ERR_NONE };
	int rc;

	if (letter == 'c')
		rc = jetstream_consumer_look(bus, "VC_lab", "fn", &info, &err);
	else if (letter == 'd')
		rc = jetstream_consumer_ensure(bus, &consumer, &info, &err);
	else if (letter == 'g')
		rc = jetstream_consumer_recreate(bus, &consumer, &info, &err);
	else
		rc = jetstream_consumer_ensure(bus, &reader, &info, &err);
	assert(rc == 0 || (err.code != ERR_NONE && err.text[0] != '\0'));
	if (rc != 0)
		return;
	assert(memchr(info.name, '\0', sizeof(info.name)) != NULL);
	assert(memchr(info.filter_subject, '\0', sizeof(info.filter_subject)) != NULL);
	assert(memchr(info.differs, '\0', sizeof(info.differs)) != NULL);
}

static void
check_message(const struct stream_msg *msg)
{
	assert(msg->subject != NULL && msg->headers != NULL && msg->data != NULL);
	assert(msg->data[msg->len] == '\0');
}

static void
check_search(struct bus *bus)
{
	struct message_search found;
	struct err err = { .code = ERR_NONE };

	if (stream_find(bus, "VC_lab", 7, &found, &err) != 0) {
		assert(err.text[0] != '\0');
		return;
	}
	if (found.presence == MESSAGE_FOUND)
		check_message(&found.msg);
	else if (found.presence == MESSAGE_BEYOND)
		assert(found.info.last_seq < 7);
	else if (found.presence == MESSAGE_GONE)
		assert(found.gone_to != 7);
	jetstream_msg_free(&found.msg);
}

static void
check_get(struct bus *bus)
{
	const struct message_query query = { .stream = "VC_lab", .subject = "vc.>" };
	struct stream_msg msg;
	struct err err = { .code = ERR_NONE };
	char value[32];

	if (jetstream_stream_get(bus, &query, &msg, &err) != 0) {
		assert(err.text[0] != '\0');
		return;
	}
	check_message(&msg);
	if (jetstream_msg_header(msg.headers, "KV-Operation", value, sizeof(value)))
		assert(strlen(value) < sizeof(value));
	jetstream_msg_free(&msg);
}

/* A message; when its headers are doubtful they are read from the stream. */
static void
check_headers(struct bus *bus, const char *status)
{
	struct bus_msg *msg = fuzz_bus_message(&(struct fuzz_message){ .subject = "vc.lab.x",
		.reply = "$JS.ACK.VC_lab.fn.1.7.7.1700000000000000000.0",
		.status = status,
		.data = "{}",
		.len = 2 });
	struct err err = { .code = ERR_NONE };

	if (jetstream_read_headers(bus, msg, &err) != 0)
		assert(err.text[0] != '\0');
	else if (bus_msg_has_own_headers(msg))
		assert(!bus_msg_headers_doubtful(msg));
	bus_msg_free(msg);
}

static void
check_publish(struct bus *bus)
{
	struct bus_out out = { .subject = "vc.lab.x", .data = "{}", .len = 2 };
	struct pub_ack ack;
	struct err err = { .code = ERR_NONE };

	if (jetstream_publish(bus, &out, 1000, &ack, &err) == 0)
		assert(ack.seq != 0 && ack.error_code == 0);
	else
		assert(err.text[0] != '\0');
	if (jetstream_stream_delete_msg(bus, "VC_lab", 7, &err) != 0)
		assert(err.text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts replies;
	struct bus *bus = fuzz_bus(&replies);

	if (size == 0)
		return 0;
	fuzz_parts_init(&replies, data + 1, size - 1);
	switch (data[0]) {
	case 'a':
	case 'b':
		check_streams(bus, (char)data[0]);
		break;
	case 'h':
		check_search(bus);
		break;
	case 'i':
		check_get(bus);
		break;
	case 'j':
		check_headers(bus, "Nats-Msg-Id: 1");
		check_headers(bus, "Other: 1");
		check_headers(bus, NULL);
		break;
	case 'k':
		check_publish(bus);
		break;
	default:
		check_consumers(bus, (char)data[0]);
	}
	fuzz_parts_free(&replies);
	return 0;
}

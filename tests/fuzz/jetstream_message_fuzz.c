// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a reply subject, the value of a header Status ("-": none), a header block ("-": none)
 * and the data of a message, as a consumer, DIRECT.GET and a publisher may get it.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_bus.h"
#include "jetstream.h"

static void
check_meta(const char *reply)
{
	struct jetstream_meta d, again;
	char text[256];

	if (!jetstream_meta_parse(reply, &d))
		return;
	assert(strncmp(reply, "$JS.ACK.", 8) == 0);
	snprintf(text, sizeof(text),
		"$JS.ACK.S.C.%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".%" PRIu64,
		d.delivered, d.stream_seq, d.consumer_seq, (uint64_t)d.time_us * 1000,
		d.pending);
	assert(jetstream_meta_parse(text, &again));
	assert(again.stream_seq == d.stream_seq && again.delivered == d.delivered &&
		again.time_us == d.time_us && again.pending == d.pending);
}

static void
check_message(const struct bus_msg *msg)
{
	int undelivered;
	enum pull_status status = jetstream_pull_status(msg, &undelivered);
	int64_t stored_us;

	/* what a publisher wrote is a message, whatever it looks like */
	if (*bus_msg_reply(msg) != '\0' || bus_msg_len(msg) != 0)
		assert(status == PULL_MESSAGE && undelivered == 0);
	if (jetstream_direct_status(msg, &stored_us) != 0)
		assert(bus_msg_len(msg) == 0 && stored_us == 0);
}

static void
check_ack(const struct bus_msg *msg)
{
	struct pub_ack ack;

	if (!jetstream_pub_ack_parse(msg, &ack))
		return;
	assert(memchr(ack.error, '\0', sizeof(ack.error)) != NULL);
	assert((ack.error_code == 0) == (ack.seq != 0));
	assert(!jetstream_pub_ack_refuses(&ack) || ack.error_code != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reply, *status, *block;
	struct fuzz_message m = { .subject = "vc.lab.x" };
	struct fuzz_parts parts;
	struct bus_msg *msg;

	fuzz_parts_init(&parts, data, size);
	reply = fuzz_part(&parts);
	status = fuzz_part(&parts);
	block = fuzz_part(&parts);
	m.reply = *reply != '\0' ? reply : NULL;
	m.status = strcmp(status, "-") != 0 ? status : NULL;
	m.block = strcmp(block, "-") != 0 ? block : NULL;
	m.data = fuzz_rest(&parts, &m.len);
	msg = fuzz_bus_message(&m);
	check_meta(reply);
	check_message(msg);
	check_ack(msg);
	bus_msg_free(msg);
	fuzz_parts_free(&parts);
	return 0;
}

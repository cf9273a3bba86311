// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a message was removed from its stream. nats-server answers STREAM.MSG.GET by the
 * stream's leader only, and with the same 404 whether the message was removed, was not applied
 * yet (up to 2.10 a new leader answers before it has applied its log) or could not be read. Two
 * facts are certain: a stream's first sequence only grows, and messages are applied in order.
 */
#include "jetstream.h"

#include <stdio.h>
#include <string.h>

/*
 * By the leader's numbers the message may have been deleted from between others: then the next
 * message that exists has another sequence.
 */
static int
find_next(struct bus *bus, const char *stream, uint64_t seq, struct message_search *found,
	struct err *err)
{
	if (jetstream_stream_get(
		    bus, &(struct message_query){ stream, seq, ">" }, &found->msg, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	if (found->msg.seq == seq) {
		found->presence = MESSAGE_FOUND;
		return 0;
	}
	found->presence = MESSAGE_GONE;
	found->gone_to = found->msg.seq;
	jetstream_msg_free(&found->msg);
	return 0;
}

int
stream_find(struct bus *bus, const char *stream, uint64_t seq, struct message_search *found,
	struct err *err)
{
	const struct stream_info *info = &found->info;

	*found = (struct message_search){ .presence = MESSAGE_FOUND };
	if (jetstream_stream_get(
		    bus, &(struct message_query){ stream, seq, NULL }, &found->msg, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND ||
		jetstream_stream_look(bus, stream, &found->info, err) != 0)
		return -1;
	found->presence = MESSAGE_UNKNOWN;
	if (seq < info->first_seq) {
		found->presence = MESSAGE_GONE;
		found->gone_to = info->first_seq;
	} else if (seq > info->last_seq) {
		found->presence = MESSAGE_BEYOND;
	} else if (info->messages < info->last_seq - info->first_seq + 1) {
		return find_next(bus, stream, seq, found, err);
	}
	return 0;
}

int64_t
stream_find_steady_for(struct steady *steady, const char *what, const char *leader,
	uint64_t reconnects, int64_t now_ms)
{
	if (leader[0] == '\0')
		return INT64_MAX;
	if (steady->what != what || steady->reconnects != reconnects ||
		strcmp(steady->leader, leader) != 0) {
		*steady = (struct steady){
			.what = what, .reconnects = reconnects, .since_ms = now_ms
		};
		snprintf(steady->leader, sizeof(steady->leader), "%s", leader);
	}
	return now_ms - steady->since_ms;
}

// SPDX-License-Identifier: Apache-2.0
/* Consumers: create, look up, delete, request messages. */
#include "jetstream.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "jetstream_api.h"
#include "json.h"
#include "stop.h"
#include "json_member.h"

#define NS_PER_MS INT64_C(1000000)

enum {
	DELETE_TRIES = 5,
	/* doubled each time: the server writes a consumer's state for some milliseconds */
	DELETE_PAUSE_MS = 20,
};

static void
write_deliver_policy(struct buf *b, const struct consumer_config *c)
{
	char time[CLOCK_TEXT_SIZE];

	switch (c->deliver) {
	case DELIVER_ALL:
		buf_add_str(b, ",\"deliver_policy\":\"all\"");
		break;
	case DELIVER_NEW:
		buf_add_str(b, ",\"deliver_policy\":\"new\"");
		break;
	case DELIVER_FROM_SEQ:
		buf_printf(b,
			",\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":%llu",
			(unsigned long long)c->start_seq);
		break;
	case DELIVER_FROM_TIME:
		buf_printf(b, ",\"deliver_policy\":\"by_start_time\",\"opt_start_time\":\"%s\"",
			clock_format(c->start_time_us, time));
		break;
	}
}

static void
write_config(struct buf *b, const struct consumer_config *c)
{
	buf_add_str(b, "{\"stream_name\":");
	json_add_string(b, c->stream, strlen(c->stream));
	buf_add_str(b, ",\"config\":{");
	if (c->name != NULL) {
		buf_add_str(b, "\"durable_name\":");
		json_add_string(b, c->name, strlen(c->name));
		buf_add_char(b, ',');
	}
	/* max_deliver -1 and no backoff: the dispatcher counts deliveries and decides */
	buf_printf(b, "\"ack_policy\":\"%s\",\"max_deliver\":-1,\"replay_policy\":\"instant\"",
		c->ack_none ? "none" : "explicit");
	if (!c->ack_none)
		buf_printf(b, ",\"ack_wait\":%lld,\"max_ack_pending\":%d",
			(long long)(c->ack_wait_ms * NS_PER_MS), c->max_ack_pending);
	if (c->headers_only)
		buf_add_str(b, ",\"headers_only\":true");
	write_deliver_policy(b, c);
	if (c->inactive_ms > 0)
		buf_printf(b, ",\"inactive_threshold\":%lld",
			(long long)(c->inactive_ms * NS_PER_MS));
	if (c->filter_subject != NULL) {
		buf_add_str(b, ",\"filter_subject\":");
		json_add_string(b, c->filter_subject, strlen(c->filter_subject));
	}
	buf_add_str(b, "}}");
}

static void
read_info(const cJSON *reply, struct consumer_info *info)
{
	const cJSON *config = json_member(reply, "config");
	const cJSON *delivered = json_member(reply, "delivered");
	const cJSON *floor = json_member(reply, "ack_floor");
	const char *created = json_member_text(reply, "created");

	*info = (struct consumer_info){
		.delivered_stream_seq = json_member_uint(delivered, "stream_seq"),
		.delivered_consumer_seq = json_member_uint(delivered, "consumer_seq"),
		.ack_floor_stream_seq = json_member_uint(floor, "stream_seq"),
		.pending = json_member_uint(reply, "num_pending"),
		.ack_pending = json_member_uint(reply, "num_ack_pending"),
		.waiting = json_member_uint(reply, "num_waiting"),
		.redelivered = json_member_uint(reply, "num_redelivered"),
	};
	snprintf(info->name, sizeof(info->name), "%s", json_member_text(reply, "name"));
	snprintf(info->filter_subject, sizeof(info->filter_subject), "%s",
		json_member_text(config, "filter_subject"));
	snprintf(info->leader, sizeof(info->leader), "%s", jetstream_leader(reply));
	clock_parse(created, strlen(created), &info->created_us);
}

static void
compare(const cJSON *reply, const struct consumer_config *c, struct consumer_info *info)
{
	const cJSON *is = json_member(reply, "config");
	const char *wanted = c->filter_subject ? c->filter_subject : "";
	const char *policy = json_member_text(is, "ack_policy");
	char *d = info->differs;
	size_t size = sizeof(info->differs), used;

	if (!c->ack_none) {
		jetstream_differs(d, size, "ack_wait (ns)", json_member_number(is, "ack_wait"),
			(double)(c->ack_wait_ms * NS_PER_MS));
		jetstream_differs(d, size, "max_ack_pending",
			json_member_number(is, "max_ack_pending"), c->max_ack_pending);
	}
	jetstream_differs(d, size, "max_deliver", json_member_number(is, "max_deliver"), -1);
	used = strlen(d);
	info->unusable = strcmp(policy, c->ack_none ? "none" : "explicit") != 0 ||
		strcmp(json_member_text(is, "deliver_subject"), "") != 0;
	if (strcmp(policy, c->ack_none ? "none" : "explicit") != 0)
		snprintf(d + used, size - used, "%sack_policy is %s", used ? "; " : "", policy);
	used = strlen(d);
	if (strcmp(json_member_text(is, "deliver_subject"), "") != 0)
		snprintf(d + used, size - used, "%sit is a push consumer", used ? "; " : "");
	used = strlen(d);
	if (strcmp(json_member_text(is, "filter_subject"), wanted) != 0)
		snprintf(d + used, size - used,
			"%sfilter_subject is \"%.60s\", configured \"%.60s\"", used ? "; " : "",
			json_member_text(is, "filter_subject"), wanted);
}

/* The reply of CONSUMER.INFO; NULL: failed, see err. */
static cJSON *
look(struct bus *bus, const char *stream, const char *name, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;

	snprintf(subject, sizeof(subject), "%s.CONSUMER.INFO.%s.%s", bus_api_prefix(bus),
		stream, name);
	if (jetstream_call(bus, subject, NULL, &reply, err) != 0)
		err_wrap(err, "consumer %s of %s", name, stream);
	return reply;
}

int
jetstream_consumer_look(struct bus *bus, const char *stream, const char *name,
	struct consumer_info *info, struct err *err)
{
	cJSON *reply = look(bus, stream, name, err);

	if (reply == NULL)
		return -1;
	read_info(reply, info);
	cJSON_Delete(reply);
	return 0;
}

/* As jetstream_consumer_look; info->differs lists the differences from config. */
static int
look_and_compare(struct bus *bus, const struct consumer_config *config,
	struct consumer_info *info, struct err *err)
{
	cJSON *reply = look(bus, config->stream, config->name, err);

	if (reply == NULL)
		return -1;
	read_info(reply, info);
	compare(reply, config, info);
	cJSON_Delete(reply);
	return 0;
}

int
jetstream_consumer_ensure(struct bus *bus, const struct consumer_config *config,
	struct consumer_info *info, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	struct buf body;
	int failed;

	if (config->name != NULL) {
		if (look_and_compare(bus, config, info, err) == 0)
			return 0;
		if (err->code != ERR_NOT_FOUND)
			return -1;
	}
	buf_init(&body, 16 * 1024);
	write_config(&body, config);
	/* DURABLE.CREATE works with servers from 2.9 on and with narrow permissions */
	if (config->name != NULL)
		snprintf(subject, sizeof(subject), "%s.CONSUMER.DURABLE.CREATE.%s.%s",
			bus_api_prefix(bus), config->stream, config->name);
	else
		snprintf(subject, sizeof(subject), "%s.CONSUMER.CREATE.%s", bus_api_prefix(bus),
			config->stream);
	failed = jetstream_call(bus, subject, &body, &reply, err);
	buf_free(&body);
	if (failed && err->code == ERR_CONFLICT && config->name != NULL)
		return look_and_compare(bus, config, info, err);
	if (failed)
		return err_wrap(err, "create consumer %s of %s",
			config->name ? config->name : "(ephemeral)", config->stream);
	read_info(reply, info);
	cJSON_Delete(reply);
	return 0;
}

/* *dirty: the consumer is gone, but the server could not remove its files. */
static int
delete_consumer(
	struct bus *bus, const char *stream, const char *name, bool *dirty, struct err *err)
{
	char subject[JS_NAME_MAX];
	struct consumer_info info;
	struct err why = { .code = ERR_NONE };
	cJSON *reply = NULL;
	int code;

	*dirty = false;
	snprintf(subject, sizeof(subject), "%s.CONSUMER.DELETE.%s.%s", bus_api_prefix(bus),
		stream, name);
	code = jetstream_call(bus, subject, NULL, &reply, err);
	if (code == 0) {
		cJSON_Delete(reply);
		return 0;
	}
	*dirty = code == JS_ERR_STREAM_GENERAL &&
		jetstream_consumer_look(bus, stream, name, &info, &why) != 0 &&
		why.code == ERR_NOT_FOUND;
	return *dirty ? 0 : -1;
}

int
jetstream_consumer_delete(
	struct bus *bus, const char *stream, const char *name, struct err *err)
{
	bool dirty;

	return delete_consumer(bus, stream, name, &dirty, err);
}

/*
 * The server took over a file of state that was still empty, and starts at the first event. Not
 * a start behind the end of the stream, which the server moves to the end: nothing is pending
 * there.
 */
static bool
starts_early(const struct consumer_config *config, const struct consumer_info *info)
{
	return config->deliver == DELIVER_FROM_SEQ && info->pending > 0 &&
		info->delivered_stream_seq + 1 < config->start_seq;
}

int
jetstream_consumer_recreate(struct bus *bus, const struct consumer_config *config,
	struct consumer_info *info, struct err *err)
{
	bool dirty = false;

	for (int i = 0; i < DELETE_TRIES; i++) {
		if (i > 0 && stop_sleep(DELETE_PAUSE_MS << i))
			return err_set(err, ERR_STOPPED, "stopped");
		if (delete_consumer(bus, config->stream, config->name, &dirty, err) != 0 &&
			err->code != ERR_NOT_FOUND)
			return -1;
		/*
		 * also when dirty: the new consumer takes over the remaining files, and only
		 * its deletion removes them
		 */
		if (jetstream_consumer_ensure(bus, config, info, err) != 0)
			return -1;
		if (!dirty && info->delivered_consumer_seq == 0 &&
			(!starts_early(config, info) || i == DELETE_TRIES - 1))
			return 0;
	}
	return err_set(err, ERR_PROTOCOL,
		"consumer %s of %s: the server keeps the state of the old one", config->name,
		config->stream);
}

int
jetstream_pull(struct bus *bus, const struct pull_request *pull, struct err *err)
{
	char subject[JS_NAME_MAX], body[160];
	struct bus_out out = { .subject = subject, .reply = pull->reply, .data = body };
	int len;

	snprintf(subject, sizeof(subject), "%s.CONSUMER.MSG.NEXT.%s.%s", bus_api_prefix(bus),
		pull->stream, pull->consumer);
	len = pull->expires_ms == 0
		? snprintf(body, sizeof(body), "{\"batch\":%d,\"no_wait\":true}", pull->batch)
		: pull->heartbeat_ms > 0
		? snprintf(body, sizeof(body),
			  "{\"batch\":%d,\"expires\":%lld,\"idle_heartbeat\":%lld}",
			  pull->batch, (long long)(pull->expires_ms * NS_PER_MS),
			  (long long)(pull->heartbeat_ms * NS_PER_MS))
		: snprintf(body, sizeof(body), "{\"batch\":%d,\"expires\":%lld}", pull->batch,
			  (long long)(pull->expires_ms * NS_PER_MS));
	out.len = (size_t)len;
	return bus_publish(bus, &out, err);
}

// SPDX-License-Identifier: Apache-2.0
/* Streams: make, look, read one message. */
#define _DEFAULT_SOURCE
#include "jetstream.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "jetstream_api.h"
#include "json.h"
#include "mem.h"
#include "stop.h"

#define NS_PER_MS INT64_C(1000000)

enum { MAKING_MS = 20, MAKING_TRIES = 50 }; /* how long somebody may take to make a stream */

static void
write_config(struct buf *b, const struct stream_config *c)
{
	size_t i;

	buf_add_str(b, "{\"name\":");
	json_add_string(b, c->name, strlen(c->name));
	buf_add_str(b, ",\"subjects\":[");
	for (i = 0; i < 4 && c->subjects[i] != NULL; i++) {
		buf_add_str(b, i ? "," : "");
		json_add_string(b, c->subjects[i], strlen(c->subjects[i]));
	}
	buf_add_str(b, "],\"description\":");
	json_add_string(b, c->description ? c->description : "", c->description ? strlen(c->description) : 0);
	buf_printf(b,
		",\"retention\":\"limits\",\"storage\":\"file\",\"max_consumers\":-1,\"max_msgs\":-1,"
		"\"max_msg_size\":-1,\"max_bytes\":%lld,\"max_age\":%lld,\"num_replicas\":%d,"
		"\"duplicate_window\":%lld,\"discard\":\"%s\",\"max_msgs_per_subject\":%d,\"allow_direct\":true,"
		"\"allow_rollup_hdrs\":false,\"deny_delete\":false,\"deny_purge\":false}",
		(long long)(c->max_bytes > 0 ? c->max_bytes : -1), (long long)(c->max_age_ms * NS_PER_MS),
		c->replicas > 0 ? c->replicas : 1, (long long)(c->duplicate_window_ms * NS_PER_MS),
		c->discard_new ? "new" : "old", c->max_msgs_per_subject > 0 ? c->max_msgs_per_subject : -1);
}

static void
read_info(const cJSON *reply, struct stream_info *info)
{
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(reply, "state");
	const char *created = jetstream_text(reply, "created");

	*info = (struct stream_info){
		.first_seq = (uint64_t)jetstream_number(state, "first_seq"),
		.last_seq = (uint64_t)jetstream_number(state, "last_seq"),
		.messages = (uint64_t)jetstream_number(state, "messages"),
		.bytes = (uint64_t)jetstream_number(state, "bytes"),
	};
	clock_parse(created, strlen(created), &info->created_us);
}

static void
compare(const cJSON *reply, const struct stream_config *c, struct stream_info *info)
{
	const cJSON *is = cJSON_GetObjectItemCaseSensitive(reply, "config");
	char *d = info->differs;
	size_t size = sizeof(info->differs), used;

	jetstream_differs(d, size, "max_bytes", jetstream_number(is, "max_bytes"),
		(double)(c->max_bytes > 0 ? c->max_bytes : -1));
	jetstream_differs(d, size, "max_age (ns)", jetstream_number(is, "max_age"),
		(double)(c->max_age_ms * NS_PER_MS));
	jetstream_differs(d, size, "duplicate_window (ns)", jetstream_number(is, "duplicate_window"),
		(double)(c->duplicate_window_ms * NS_PER_MS));
	jetstream_differs(d, size, "num_replicas", jetstream_number(is, "num_replicas"),
		c->replicas > 0 ? c->replicas : 1);
	used = strlen(d);
	if (strcmp(jetstream_text(is, "retention"), "limits") != 0)
		snprintf(d + used, size - used, "%sretention is %s, needed limits", used ? "; " : "",
			jetstream_text(is, "retention"));
	used = strlen(d);
	if (strcmp(jetstream_text(is, "discard"), c->discard_new ? "new" : "old") != 0)
		snprintf(d + used, size - used, "%sdiscard is %s, configured %s", used ? "; " : "",
			jetstream_text(is, "discard"), c->discard_new ? "new" : "old");
}

static int
look(struct bus *bus, const char *name, const struct stream_config *config, struct stream_info *info,
	struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;

	snprintf(subject, sizeof(subject), "$JS.API.STREAM.INFO.%s", name);
	for (int tries = 0; reply == NULL; tries++) {
		if (jetstream_call(bus, subject, NULL, &reply, NULL, err) != 0)
			return err_wrap(err, "stream %s", name);
		read_info(reply, info);
		if (info->created_us >= 0)
			break;
		/* year 1: nats-server 2.9 lists it and has no store for it yet; another request for it may crash it */
		cJSON_Delete(reply);
		reply = NULL;
		if (tries == MAKING_TRIES || stop_sleep(MAKING_MS))
			return err_set(err, ERR_TIMEOUT, "stream %s: it is being made", name);
	}
	if (config != NULL)
		compare(reply, config, info);
	cJSON_Delete(reply);
	return 0;
}

int
stream_look(struct bus *bus, const char *name, struct stream_info *info, struct err *err)
{
	return look(bus, name, NULL, info, err);
}

int
stream_ensure(struct bus *bus, const struct stream_config *config, struct stream_info *info, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	struct buf body;
	int failed;

	if (look(bus, config->name, config, info, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	buf_init(&body, 16 * 1024);
	write_config(&body, config);
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.CREATE.%s", config->name);
	failed = jetstream_call(bus, subject, &body, &reply, NULL, err);
	buf_free(&body);
	if (failed && err->code != ERR_CONFLICT)
		return err_wrap(err, "create stream %s", config->name);
	cJSON_Delete(reply);
	return look(bus, config->name, config, info, err); /* somebody else may have been first, with other settings */
}

/* Standard base64 with padding, as Go's encoding/json writes []byte. */
static char *
decode_base64(const char *text, size_t *len)
{
	size_t n = strlen(text), out, pad = 0;
	unsigned char *data = mem_alloc(n / 4 * 3 + 1);
	int got;

	got = EVP_DecodeBlock(data, (const unsigned char *)text, (int)n);
	while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
		pad++;
	out = got < 0 ? 0 : (size_t)got - pad;
	data[out] = '\0';
	*len = out;
	return (char *)data;
}

int
stream_get(struct bus *bus, const char *stream, uint64_t seq, const char *of_subject, struct stream_msg *msg,
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
	if (seq != 0)
		buf_printf(&body, "\"seq\":%llu%s", (unsigned long long)seq, of_subject ? "," : "");
	if (of_subject != NULL) {
		buf_add_str(&body, seq != 0 ? "\"next_by_subj\":" : "\"last_by_subj\":");
		json_add_string(&body, of_subject, strlen(of_subject));
	}
	buf_add_char(&body, '}');
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.MSG.GET.%s", stream);
	failed = jetstream_call(bus, subject, &body, &reply, NULL, err);
	buf_free(&body);
	if (failed)
		return -1;
	m = cJSON_GetObjectItemCaseSensitive(reply, "message");
	time = jetstream_text(m, "time");
	*msg = (struct stream_msg){
		.seq = (uint64_t)jetstream_number(m, "seq"),
		.subject = mem_strdup(jetstream_text(m, "subject")),
	};
	msg->headers = decode_base64(jetstream_text(m, "hdrs"), &ignored);
	msg->data = decode_base64(jetstream_text(m, "data"), &msg->len);
	clock_parse(time, strlen(time), &msg->time_us);
	cJSON_Delete(reply);
	return 0;
}

int
stream_delete_msg(struct bus *bus, const char *stream, uint64_t seq, struct err *err)
{
	char subject[JS_NAME_MAX];
	cJSON *reply = NULL;
	struct buf body;
	int failed;

	buf_init(&body, 64);
	buf_printf(&body, "{\"seq\":%llu,\"no_erase\":true}", (unsigned long long)seq);
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.MSG.DELETE.%s", stream);
	failed = jetstream_call(bus, subject, &body, &reply, NULL, err);
	buf_free(&body);
	if (failed)
		return err_wrap(err, "delete message %llu of %s", (unsigned long long)seq, stream);
	cJSON_Delete(reply);
	return 0;
}

void
stream_msg_free(struct stream_msg *msg)
{
	free(msg->subject);
	free(msg->headers);
	free(msg->data);
	*msg = (struct stream_msg){ .seq = 0 };
}

bool
stream_msg_header(const char *headers, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name), len;
	const char *line;

	for (line = strstr(headers, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " ");
		len = strcspn(line, "\r\n");
		if (len >= size)
			return false;
		memcpy(buf, line, len);
		buf[len] = '\0';
		return true;
	}
	return false;
}

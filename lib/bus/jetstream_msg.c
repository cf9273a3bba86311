// SPDX-License-Identifier: Apache-2.0
/* Messages: reply subjects, status messages, acks, publishing with an ack. */
#include "jetstream.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "jetstream_api.h"
#include "json_member.h"
#include "protocol.h"
#include "text.h"

/* The number that a header holds; 0 when it is not one that an int can hold. */
static int
header_int(const char *text)
{
	int64_t n;

	return text_int(text, 0, INT_MAX, &n) ? (int)n : 0;
}

/* A number up to a "." or the end. Each event has ten; strtoull takes most of the time. */
static bool
token_number(const char *p, uint64_t *n)
{
	const char *first = p;

	for (*n = 0; *p >= '0' && *p <= '9'; p++)
		*n = *n > (UINT64_MAX - 9) / 10 ? UINT64_MAX : *n * 10 + (uint64_t)(*p - '0');
	return p != first && (*p == '.' || *p == '\0');
}

/*
 * $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, or,
 * from server 2.14 on, with <domain>.<account hash> before the stream and perhaps a token at
 * the end.
 */
bool
jetstream_meta_parse(const char *reply, struct jetstream_meta *d)
{
	uint64_t number[5];
	const char *token[13];
	size_t n = 0, first, i;
	const char *p = reply;

	if (strncmp(reply, "$JS.ACK.", 8) != 0)
		return false;
	while (n < 13) {
		token[n++] = p;
		p = strchr(p, '.');
		if (p == NULL)
			break;
		p++;
	}
	if (p != NULL || (n != 9 && n < 11))
		return false;
	first = n == 9 ? 4 : 6;
	for (i = 0; i < 5; i++)
		if (!token_number(token[first + i], &number[i]))
			return false;
	*d = (struct jetstream_meta){ .delivered = number[0],
		.stream_seq = number[1],
		.consumer_seq = number[2],
		.time_us = (int64_t)(number[3] / 1000),
		.pending = number[4] };
	return true;
}

enum pull_status
jetstream_pull_status(const struct bus_msg *msg, int *undelivered)
{
	const char *status, *text;

	*undelivered = 0;
	/*
	 * a delivered message has a reply subject, whatever headers its publisher wrote; a
	 * status message has none
	 */
	if (*bus_msg_reply(msg) != '\0' || bus_msg_len(msg) != 0 ||
		(status = bus_msg_header(msg, "Status")) == NULL)
		return PULL_MESSAGE;
	if (strcmp(status, "100") == 0)
		return PULL_HEARTBEAT;
	text = bus_msg_header(msg, HEADER_PENDING_MESSAGES);
	if (text != NULL)
		*undelivered = header_int(text);
	text = bus_msg_header(msg, "Description");
	if (strcmp(status, "503") == 0 ||
		(strcmp(status, "409") == 0 && text != NULL &&
			strstr(text, "Consumer Deleted") != NULL))
		return PULL_GONE;
	return PULL_OVER;
}

int
jetstream_direct_status(const struct bus_msg *msg, int64_t *stored_us)
{
	const char *time = bus_msg_last_header(msg, HEADER_TIME_STAMP), *status;

	*stored_us = 0;
	if (time != NULL)
		clock_parse(time, strlen(time), stored_us);
	if (time != NULL || bus_msg_len(msg) != 0)
		return 0;
	status = bus_msg_header(msg, "Status");
	return status != NULL ? header_int(status) : 0;
}

static int
settle(struct bus *bus, const char *reply, const char *verb, struct err *err)
{
	struct bus_out out = { .subject = reply, .data = verb, .len = strlen(verb) };

	return bus_publish(bus, &out, err);
}

int
jetstream_ack(struct bus *bus, const char *reply, struct err *err)
{
	return settle(bus, reply, "+ACK", err);
}

int
jetstream_ack_progress(struct bus *bus, const char *reply, struct err *err)
{
	return settle(bus, reply, "+WPI", err);
}

int
jetstream_nak(struct bus *bus, const char *reply, int64_t delay_ms, struct err *err)
{
	char verb[64];

	if (delay_ms <= 0)
		return settle(bus, reply, "-NAK", err);
	snprintf(verb, sizeof(verb), "-NAK {\"delay\":%lld}", (long long)(delay_ms * 1000000));
	return settle(bus, reply, verb, err);
}

int
jetstream_ack_confirm(struct bus *bus, const char *reply, int64_t timeout_ms, struct err *err)
{
	struct bus_out out = { .subject = reply, .data = "+ACK", .len = 4 };
	struct bus_msg *answer = NULL;

	if (bus_request(bus, &out, timeout_ms, &answer, err) != 0)
		return -1;
	bus_msg_free(answer);
	return 0;
}

/*
 * A PubAck is one of two short forms: {"stream":"S","seq":1[,"domain":..][,"duplicate":true]}
 * or one with "error" (then "seq":0 has no meaning). The first is parsed by hand, because it is
 * on the hot path.
 */
bool
jetstream_pub_ack_parse(const struct bus_msg *msg, struct pub_ack *ack)
{
	const char *data = bus_msg_data(msg),
		   *status = bus_msg_len(msg) == 0 ? bus_msg_header(msg, "Status") : NULL;
	const char *seq;
	const cJSON *error;
	cJSON *json;

	*ack = (struct pub_ack){ .seq = 0 };
	if (status != NULL) {
		ack->error_code = header_int(status);
		snprintf(ack->error, sizeof(ack->error), "no stream has this subject");
		return ack->error_code != 0;
	}
	if (strstr(data, "\"error\"") == NULL) {
		seq = strstr(data, "\"seq\":");
		if (data[0] != '{' || seq == NULL)
			return false;
		seq += 6 + strspn(seq + 6, " ");
		ack->seq = *seq >= '0' && *seq <= '9' ? strtoull(seq, NULL, 10) : 0;
		/* written only when true; some versions write a space after the colon */
		ack->duplicate = strstr(seq, "\"duplicate\"") != NULL;
		/* until 2.10; later versions reply with this error */
		if (ack->seq == 0 && ack->duplicate) {
			ack->error_code = JS_ERR_ID_IN_PROCESS;
			snprintf(ack->error, sizeof(ack->error),
				"duplicate message id is in process");
			return true;
		}
		return ack->seq != 0 && ack->seq != ULLONG_MAX /* too large */;
	}
	json = cJSON_ParseWithLength(data, bus_msg_len(msg));
	error = json_member(json, "error");
	ack->error_code = jetstream_error_code(error, "err_code");
	if (ack->error_code == 0)
		ack->error_code = jetstream_error_code(error, "code");
	snprintf(ack->error, sizeof(ack->error), "%s", json_member_text(error, "description"));
	cJSON_Delete(json);
	return ack->error_code != 0;
}

bool
jetstream_pub_ack_refuses(const struct pub_ack *ack)
{
	return ack->error_code == JS_ERR_MSG_TOO_LARGE ||
		ack->error_code == JS_ERR_HEADERS_TOO_LARGE;
}

static enum err_code
code_of(const struct pub_ack *ack)
{
	if (jetstream_pub_ack_refuses(ack))
		return ERR_LIMIT;
	return ack->error_code == JS_ERR_WRONG_LAST_SEQ ? ERR_CONFLICT : ERR_FULL;
}

int
jetstream_publish(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct pub_ack *ack, struct err *err)
{
	struct bus_msg *reply = NULL;
	bool ok;

	if (bus_request(bus, out, timeout_ms, &reply, err) != 0)
		return err_wrap(err, "publish");
	ok = jetstream_pub_ack_parse(reply, ack);
	bus_msg_free(reply);
	if (!ok)
		return err_set(err, ERR_PROTOCOL, "publish to %s: the reply is not a PubAck",
			out->subject);
	if (ack->error_code != 0)
		return err_set(err, code_of(ack), "publish to %s: %s (%d)", out->subject,
			ack->error, ack->error_code);
	return 0;
}

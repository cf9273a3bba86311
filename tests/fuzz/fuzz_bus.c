// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "fuzz_bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus_private.h"

static struct fuzz_parts *replies;
static struct {
	bus_on_msg *on_msg;
	void *ctx;
} subscriber;

struct bus *
fuzz_bus(struct fuzz_parts *parts)
{
	static char inbox[] = "_INBOX_cli.fuzz";
	static struct bus bus = { .options = { .api_prefix = "$JS.API" }, .inbox = inbox };

	replies = parts;
	subscriber.on_msg = NULL;
	return &bus;
}

/* ---- messages: cnats frees its own later, on a thread, which hides leaks */

struct __natsMsg {
	char *subject, *reply, *data, *status;
	size_t len;
};

static char *
copy(const char *text, size_t len)
{
	char *out = malloc(len + 1); /* so that one byte too far is seen */

	if (out == NULL)
		abort();
	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

static char *
copy_text(const char *text)
{
	return text != NULL ? copy(text, strlen(text)) : NULL;
}

struct bus_msg *
fuzz_bus_message(const struct fuzz_message *m)
{
	struct bus_msg *msg = calloc(1, sizeof(*msg));
	natsMsg *inner = calloc(1, sizeof(*inner));

	if (msg == NULL || inner == NULL)
		abort();
	*inner = (natsMsg){ .subject = copy_text(m->subject),
		.reply = copy_text(m->reply),
		.data = copy(m->data, m->len),
		.status = copy_text(m->status),
		.len = m->len };
	msg->msg = inner;
	if (m->block != NULL)
		bus_msg_set_headers(msg, m->block);
	return msg;
}

void __wrap_bus_msg_free(struct bus_msg *msg);
const char *__wrap_natsMsg_GetSubject(const natsMsg *msg);
const char *__wrap_natsMsg_GetReply(const natsMsg *msg);
const char *__wrap_natsMsg_GetData(const natsMsg *msg);
int __wrap_natsMsg_GetDataLength(const natsMsg *msg);
natsStatus __wrap_natsMsgHeader_Get(natsMsg *msg, const char *key, const char **value);
natsStatus __wrap_natsMsgHeader_Values(
	natsMsg *msg, const char *key, const char ***values, int *n);
natsStatus __wrap_natsMsgHeader_Keys(natsMsg *msg, const char ***keys, int *n);

void
__wrap_bus_msg_free(struct bus_msg *msg)
{
	if (msg == NULL)
		return;
	free(msg->msg->subject);
	free(msg->msg->reply);
	free(msg->msg->data);
	free(msg->msg->status);
	free(msg->msg);
	free(msg->header);
	free(msg->headers);
	free(msg);
}

const char *
__wrap_natsMsg_GetSubject(const natsMsg *msg)
{
	return msg->subject;
}

const char *
__wrap_natsMsg_GetReply(const natsMsg *msg)
{
	return msg->reply;
}

const char *
__wrap_natsMsg_GetData(const natsMsg *msg)
{
	return msg->len > 0 ? msg->data : NULL;
}

int
__wrap_natsMsg_GetDataLength(const natsMsg *msg)
{
	return (int)msg->len;
}

natsStatus
__wrap_natsMsgHeader_Get(natsMsg *msg, const char *key, const char **value)
{
	if (msg->status == NULL || strcmp(key, "Status") != 0)
		return NATS_NOT_FOUND;
	*value = msg->status;
	return NATS_OK;
}

static natsStatus
list_one(const char *text, const char ***list, int *n)
{
	if ((*list = malloc(sizeof(**list))) == NULL)
		abort();
	(*list)[0] = text;
	*n = 1;
	return NATS_OK;
}

natsStatus
__wrap_natsMsgHeader_Values(natsMsg *msg, const char *key, const char ***values, int *n)
{
	const char *value;

	return __wrap_natsMsgHeader_Get(msg, key, &value) == NATS_OK
		? list_one(value, values, n)
		: NATS_NOT_FOUND;
}

natsStatus
__wrap_natsMsgHeader_Keys(natsMsg *msg, const char ***keys, int *n)
{
	return msg->status != NULL ? list_one("Status", keys, n) : NATS_NOT_FOUND;
}

/* ---- the connection */

int __wrap_bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err);
int __wrap_bus_publish(struct bus *bus, const struct bus_out *out, struct err *err);
int __wrap_bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err);
int __wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err);
bool __wrap_bus_clustered(const struct bus *bus);
int64_t __wrap_bus_max_payload(const struct bus *bus);
bool __wrap_stop_sleep(int64_t ms);
int64_t __wrap_clock_monotonic_ms(void);

int
__wrap_bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err)
{
	const char *data;

	(void)bus;
	(void)timeout_ms;
	assert(out->subject[0] != '\0');
	if (!fuzz_more(replies))
		return err_set(err, ERR_TIMEOUT, "no reply");
	data = fuzz_part(replies);
	*reply = fuzz_bus_message(&(struct fuzz_message){
		.subject = "_INBOX_cli.fuzz.1", .data = data, .len = strlen(data) });
	return 0;
}

int
__wrap_bus_publish(struct bus *bus, const struct bus_out *out, struct err *err)
{
	(void)bus;
	(void)out;
	(void)err;
	return 0;
}

int
__wrap_bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err)
{
	(void)bus;
	(void)timeout_ms;
	(void)err;
	while (subscriber.on_msg != NULL && fuzz_more(replies)) {
		const char *from = fuzz_part(replies), *data = fuzz_part(replies);

		subscriber.on_msg(subscriber.ctx,
			fuzz_bus_message(
				&(struct fuzz_message){ .subject = *from != '\0' ? from : "-",
					.data = data,
					.len = strlen(data) }));
	}
	return 0;
}

/*
 * The messages come with the next bus_flush, after the requests: the parts are in turn a
 * subject and the data of a message.
 */
int
__wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err)
{
	(void)bus;
	(void)subject;
	(void)err;
	subscriber.on_msg = on_msg;
	subscriber.ctx = ctx;
	return 0;
}

bool
__wrap_bus_clustered(const struct bus *bus)
{
	(void)bus;
	return false;
}

int64_t
__wrap_bus_max_payload(const struct bus *bus)
{
	(void)bus;
	return 1024 * 1024;
}

bool
__wrap_stop_sleep(int64_t ms)
{
	(void)ms;
	return false;
}

/* An hour later each time: nothing waits. */
int64_t
__wrap_clock_monotonic_ms(void)
{
	static int64_t now_ms;

	return now_ms += 3600 * 1000;
}

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "fuzz_bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus_private.h"
#include "stop.h"

static struct fuzz_parts *replies;

struct bus *
fuzz_bus(struct fuzz_parts *parts)
{
	static char inbox[] = "_INBOX_cli.fuzz";
	static struct bus bus = { .options = { .api_prefix = "$JS.API" }, .inbox = inbox };

	replies = parts;
	return &bus;
}

struct bus_msg *
fuzz_bus_message(const struct fuzz_message *m)
{
	static bool opened;
	struct bus_msg *msg = calloc(1, sizeof(*msg));

	/* without its own thread cnats frees a message at once */
	if (!opened && nats_Open(-1) != NATS_OK)
		abort();
	opened = true;
	if (msg == NULL ||
		natsMsg_Create(&msg->msg, m->subject, m->reply, m->data, (int)m->len) !=
			NATS_OK)
		abort();
	if (m->status != NULL && natsMsgHeader_Set(msg->msg, "Status", m->status) != NATS_OK)
		abort();
	if (m->block != NULL)
		bus_msg_set_headers(msg, m->block);
	return msg;
}

/* ---- in place of the functions of these names */

int __wrap_bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err);
int __wrap_bus_publish(struct bus *bus, const struct bus_out *out, struct err *err);
int __wrap_bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err);
int __wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err);
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
	return 0;
}

/* At once: the messages are the parts, in turn a subject and the data of a message. */
int
__wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err)
{
	(void)bus;
	(void)subject;
	(void)err;
	while (fuzz_more(replies)) {
		const char *from = fuzz_part(replies), *data = fuzz_part(replies);

		on_msg(ctx,
			fuzz_bus_message(
				&(struct fuzz_message){ .subject = *from != '\0' ? from : "-",
					.data = data,
					.len = strlen(data) }));
	}
	return 0;
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

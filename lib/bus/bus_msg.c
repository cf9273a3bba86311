// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a message. cnats (3.4.1 and later) skips white space after a header's colon, line ends
 * included. So a header without a value gets the next line as its value, and that next header
 * is missing; when the last header has no value, no header can be read. cnats gives no access
 * to the raw bytes. bus_msg_headers_doubtful detects such a message, and jetstream.h reads its
 * headers from the stream.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "bus_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header_block.h"
#include "mem.h"
#include "protocol.h"

const char *
bus_msg_subject(const struct bus_msg *msg)
{
	return natsMsg_GetSubject(msg->msg);
}

const char *
bus_msg_reply(const struct bus_msg *msg)
{
	const char *reply = natsMsg_GetReply(msg->msg);

	return reply ? reply : "";
}

const char *
bus_msg_data(const struct bus_msg *msg)
{
	const char *data = natsMsg_GetData(msg->msg);

	return data ? data : "";
}

size_t
bus_msg_len(const struct bus_msg *msg)
{
	return (size_t)natsMsg_GetDataLength(msg->msg);
}

bool
bus_msg_find_header(const struct bus_msg *msg, const char *name, const char **value)
{
	natsStatus s;

	*value = NULL;
	for (size_t i = 0; i < msg->n_headers && *value == NULL; i++)
		if (strcmp(msg->header[i].name, name) == 0)
			*value = msg->header[i].value;
	if (msg->headers != NULL)
		return true;
	s = natsMsgHeader_Get(msg->msg, name, value);
	return s == NATS_OK || s == NATS_NOT_FOUND;
}

const char *
bus_msg_header(const struct bus_msg *msg, const char *name)
{
	const char *value;

	return bus_msg_find_header(msg, name, &value) ? value : NULL;
}

const char *
bus_msg_last_header(const struct bus_msg *msg, const char *name)
{
	const char **values = NULL, *last = NULL;
	int n = 0;

	for (size_t i = 0; i < msg->n_headers; i++)
		if (strcmp(msg->header[i].name, name) == 0)
			last = msg->header[i].value;
	if (msg->headers != NULL ||
		natsMsgHeader_Values(msg->msg, name, &values, &n) != NATS_OK)
		return last;
	last = values[n - 1];
	free((void *)values);
	return last;
}

void
bus_msg_each_header(
	const struct bus_msg *msg, void (*fn)(void *, const char *, const char *), void *ctx)
{
	const char **keys = NULL;
	int n = 0, i;

	for (size_t k = 0; k < msg->n_headers; k++)
		fn(ctx, msg->header[k].name, msg->header[k].value);
	if (msg->headers != NULL || natsMsgHeader_Keys(msg->msg, &keys, &n) != NATS_OK)
		return;
	for (i = 0; i < n; i++) {
		const char *value = bus_msg_header(msg, keys[i]);

		if (value != NULL)
			fn(ctx, keys[i], value);
	}
	free((void *)keys);
}

/*
 * Whether a value looks like a header line that we would read. If so, its header had no value.
 */
static bool
looks_like_header(const char *value)
{
	static const char *const names[] = { "ce-", "content-type:", HEADER_PREFIX_NATS,
		HEADER_PREFIX_OWN };
	size_t n = strspn(
		value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	if (value[n] != ':')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(value, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

bool
bus_msg_headers_doubtful(const struct bus_msg *msg)
{
	const char **keys = NULL;
	bool doubtful = false;
	natsStatus s;
	int n = 0;

	if (msg->headers != NULL)
		return false;
	s = natsMsgHeader_Keys(msg->msg, &keys, &n);
	if (s != NATS_OK)
		return s != NATS_NOT_FOUND; /* NATS_NOT_FOUND: there are no headers */
	for (int i = 0; i < n && !doubtful; i++) {
		const char *value = bus_msg_header(msg, keys[i]);

		doubtful = value != NULL && looks_like_header(value);
	}
	free((void *)keys);
	return doubtful;
}

bool
bus_msg_has_own_headers(const struct bus_msg *msg)
{
	return msg->headers != NULL;
}

void
bus_msg_set_headers(struct bus_msg *msg, const char *block)
{
	free(msg->header);
	free(msg->headers);
	msg->headers = mem_strdup(block);
	msg->header = header_block_list(msg->headers, &msg->n_headers);
}

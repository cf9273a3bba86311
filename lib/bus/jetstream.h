// SPDX-License-Identifier: Apache-2.0
/*
 * JetStream's wire protocol over bus.h, so that one source works with nats-server 2.9 to the
 * newest and never erases a setting that a newer tool made.
 * https://docs.nats.io/reference/reference-protocols/nats_api_reference
 */
#ifndef VCOURIER_JETSTREAM_H
#define VCOURIER_JETSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "err.h"

/* ---- streams */

struct stream_config {
	const char *name;
	const char *subjects[4]; /* NULL-terminated */
	int64_t max_age_ms;      /* 0: no limit */
	int64_t max_bytes;       /* <= 0: no limit */
	int64_t duplicate_window_ms;
	int replicas;
	bool discard_new; /* when full: reject new messages (err 10077), else drop the oldest */
	int max_msgs_per_subject; /* 0: no limit; 1: a KV bucket without history */
	bool deny_delete; /* no user may remove single messages; cannot be lifted later */
	bool deny_purge;  /* no user may empty the stream; cannot be lifted later */
	bool compressed;  /* s2; nats-server 2.9 stores it as it is */
	const char *description;
	/* the cluster, and tags that its servers must have; NULL: any. Tags end with NULL */
	const char *placement_cluster;
	char *const *placement_tags;
};

struct stream_info {
	uint64_t first_seq, last_seq, messages, bytes;
	int64_t max_bytes; /* how many it may have; 0: no limit */
	int64_t created_us;
	char leader
		[64]; /* in a cluster: the name of the server that leads the stream, else "" */
	/* bytes of a message, headers included; 0: what the server's max_payload allows */
	int64_t max_msg_size;
	char differs
		[256]; /* settings that differ from the configuration, field by field; "" when none does */
};

/*
 * jetstream_stream_ensure creates the stream unless it exists. It never changes an existing
 * stream; info->differs lists the differences (but not deny_delete and deny_purge: streams of
 * earlier releases lack them and work as well). ERR_FORBIDDEN, ERR_TIMEOUT: this user may not
 * create it; then the stream is only looked up. In a cluster a stream that is not found is
 * looked up again for 2 s, because a meta leader answers before it has read all of its log.
 *
 * jetstream_stream_look: ERR_NOT_FOUND: there is no such stream. ERR_TIMEOUT: no answer, or the
 * stream has no leader at the moment (then any replica answers, with its own numbers).
 */
int jetstream_stream_ensure(struct bus *bus, const struct stream_config *config,
	struct stream_info *info, struct err *err);
int jetstream_stream_look(
	struct bus *bus, const char *name, struct stream_info *info, struct err *err);

/*
 * Which message of a stream: the one with this sequence; with a subject (wildcards allowed) the
 * first with that subject from there on; with sequence 0 the last one with that subject.
 */
struct message_query {
	const char *stream;
	uint64_t seq;
	const char *subject; /* NULL: any */
};

struct stream_msg {
	uint64_t seq;
	char *subject, *headers, *data; /* headers: the raw NATS/1.0 block, "" when none */
	size_t len;
	int64_t time_us;
};

/*
 * The stream's leader answers. *msg is the caller's (jetstream_msg_free). ERR_NOT_FOUND: there
 * is no such message.
 *
 * Only for a stream that jetstream_stream_look or _ensure has found: nats-server 2.9.10 crashes
 * (jsMsgGetRequest, no store) when it is asked for a message of a stream that another client is
 * creating.
 */
int jetstream_stream_get(struct bus *bus, const struct message_query *query,
	struct stream_msg *msg, struct err *err);
void jetstream_msg_free(struct stream_msg *msg);

/*
 * Whether a stream has a message. ERR_NOT_FOUND of jetstream_stream_get does not prove that it
 * is gone: a leader also returns that while it has not applied what was stored before its
 * election, and when a block cannot be read; DIRECT.GET is answered by any replica, however far
 * it lags. So stream_find compares the sequence with the stream's numbers.
 */
enum message_presence {
	MESSAGE_FOUND,
	/* the first sequence is larger, or later messages exist and this one is deleted */
	MESSAGE_GONE,
	MESSAGE_BEYOND,  /* the stream ends before it: its leader lags, or it was cut */
	MESSAGE_UNKNOWN, /* by the stream's numbers it exists: ask again */
};

struct message_search {
	enum message_presence presence;
	struct stream_msg msg; /* MESSAGE_FOUND: the caller's (jetstream_msg_free) */
	/*
	 * MESSAGE_GONE: the first sequence after seq that may exist; all from seq to before it
	 * are gone
	 */
	uint64_t gone_to;
	struct stream_info info; /* unless MESSAGE_FOUND: the stream's info from the leader */
};

/*
 * MESSAGE_GONE is final. MESSAGE_BEYOND and MESSAGE_UNKNOWN count only when they persist: see
 * stream_find_steady_for. -1: no answer, or no such stream (ERR_NOT_FOUND).
 */
int stream_find(struct bus *bus, const char *stream, uint64_t seq, struct message_search *found,
	struct err *err);

/*
 * For how long the same finding has come from the same leader over the same connection. Starts
 * again when one of them changes. Without a cluster (leader "") a server answers only after it
 * has read all of its store, so its answer counts at once: INT64_MAX.
 */
struct steady {
	const char *what; /* a constant: the finding */
	char leader[64];
	uint64_t reconnects;
	int64_t since_ms;
};
int64_t stream_find_steady_for(struct steady *steady, const char *what, const char *leader,
	uint64_t reconnects, int64_t now_ms);

enum {
	STEADY_MS = 5 * 1000, /* longer than an election (4 s at most in nats-server 2.9) */
	ABSENT_MS = 2 * 1000, /* not found for so long in a cluster: it is created */
};

/*
 * After a message was delivered: when its headers are doubtful (bus.h), reads them from the
 * stream with one request. May be called on a bus thread. 0: the headers are correct now, or
 * the stream no longer has the message. -1: the request failed.
 */
int jetstream_read_headers(struct bus *bus, struct bus_msg *msg, struct err *err);

/*
 * The status of an answer to DIRECT.GET. 0: it is the stored message; *stored_us is when it was
 * stored, 0 when that cannot be read. Else its status, 404: this replica does not have the
 * message. Only the header that the server adds after those of the publisher marks a stored
 * message, so a publisher cannot make a message look like a status, or like another message.
 */
int jetstream_direct_status(const struct bus_msg *msg, int64_t *stored_us);

/* Deletes one message. */
int jetstream_stream_delete_msg(
	struct bus *bus, const char *stream, uint64_t seq, struct err *err);

/*
 * Copies a header's value from a raw NATS/1.0 block to buf; false when the block does not have
 * it.
 */
bool jetstream_msg_header(const char *headers, const char *name, char *buf, size_t size);

/*
 * Calls add for each stream of the account: its name and subjects ("" for a mirror, several with
 * ", " between them); or for each consumer of a stream: its name. 10,000 entries at most. Names
 * are from outside.
 */
struct jetstream_list {
	void (*add)(void *ctx, const char *name, const char *subjects);
	void *ctx;
};
int jetstream_list_streams(struct bus *bus, const struct jetstream_list *list, struct err *err);
int jetstream_list_consumers(struct bus *bus, const char *stream,
	const struct jetstream_list *list, struct err *err);

/*
 * Calls add for each subject that messages of the stream have, below `filter` (wildcards
 * allowed), with their number. 100,000 subjects at most.
 */
struct jetstream_subjects {
	void (*add)(void *ctx, const char *subject, uint64_t messages);
	void *ctx;
};
int jetstream_list_subjects(struct bus *bus, const char *stream, const char *filter,
	const struct jetstream_subjects *list, struct err *err);

/* ---- consumers: pull, explicit ack */

struct consumer_config {
	/* durable name; NULL: ephemeral, named by the server (info->name) */
	const char *stream, *name;
	const char *filter_subject; /* NULL: all subjects */
	enum { DELIVER_ALL, DELIVER_NEW, DELIVER_FROM_SEQ, DELIVER_FROM_TIME } deliver;
	uint64_t start_seq;
	int64_t start_time_us;
	int64_t ack_wait_ms;
	int max_ack_pending;
	bool ack_none;     /* no acks: messages come in order, once */
	bool headers_only; /* without the bodies */
	/*
	 * the server removes the consumer after this long without use; 0: its default
	 * (ephemeral 5 s)
	 */
	int64_t inactive_ms;
};

struct consumer_info {
	uint64_t delivered_stream_seq, delivered_consumer_seq, ack_floor_stream_seq, pending,
		ack_pending, redelivered;
	uint64_t waiting; /* outstanding pull requests */
	int64_t created_us;
	char leader[64]; /* in a cluster: the server that leads the consumer, else "" */
	char name[128];
	char filter_subject[256];
	char differs[256];
	/* it differs so that pulling cannot work: a push consumer, or another ack policy */
	bool unusable;
};

/* Creates the consumer unless it exists; never changes an existing one, see info->differs. */
int jetstream_consumer_ensure(struct bus *bus, const struct consumer_config *config,
	struct consumer_info *info, struct err *err);
int jetstream_consumer_look(struct bus *bus, const char *stream, const char *name,
	struct consumer_info *info, struct err *err);

/*
 * ERR_NOT_FOUND: there was no such consumer. A nats-server that writes a consumer's state while
 * it removes the consumer leaves a file behind: the next consumer of this name continues from
 * that state, whatever its configuration says, and from the first event if the file is empty.
 */
int jetstream_consumer_delete(
	struct bus *bus, const char *stream, const char *name, struct err *err);

/*
 * Removes the durable consumer, if there is one, and creates one with this configuration. If
 * the server left a file behind, this is repeated a few times, for less than a second.
 */
int jetstream_consumer_recreate(struct bus *bus, const struct consumer_config *config,
	struct consumer_info *info, struct err *err);

/*
 * The reply subject of a delivered message, parsed ($JS.ACK..., 9 tokens or the longer v2
 * form).
 */
struct jetstream_meta {
	uint64_t stream_seq, consumer_seq,
		delivered; /* delivered: the number of this delivery, from 1 on */
	uint64_t pending;  /* messages after this one */
	int64_t time_us;   /* when the stream stored it */
};
bool jetstream_meta_parse(const char *reply, struct jetstream_meta *d);

struct pull_request {
	const char *stream, *consumer;
	const char *reply;    /* the subject that the messages are sent to */
	int batch;            /* at most so many messages */
	int64_t expires_ms;   /* 0: it takes what there is, and does not wait */
	int64_t heartbeat_ms; /* 0: no heartbeats */
};

/*
 * Requests messages; does not wait for them. The server also sends status messages (no reply
 * subject, empty body, header Status): see jetstream_pull_status.
 */
int jetstream_pull(struct bus *bus, const struct pull_request *pull, struct err *err);

enum pull_status {
	PULL_MESSAGE,   /* not a status: a message to deliver */
	PULL_HEARTBEAT, /* 100: the pull is still open */
	/*
	 * 404, 408, 409: the pull ended, send another; *undelivered: messages that it did not
	 * deliver
	 */
	PULL_OVER,
	/* 409 consumer deleted, 503: check consumer and stream */
	PULL_GONE,
};
enum pull_status jetstream_pull_status(const struct bus_msg *msg, int *undelivered);

/*
 * Settles a message by its reply subject. Acks are plain publishes; ack_confirm waits for an
 * answer.
 */
int jetstream_ack(struct bus *bus, const char *reply, struct err *err);
int jetstream_ack_confirm(
	struct bus *bus, const char *reply, int64_t timeout_ms, struct err *err);
int jetstream_nak(struct bus *bus, const char *reply, int64_t delay_ms, struct err *err);
int jetstream_ack_progress(
	struct bus *bus, const char *reply, struct err *err); /* resets ack_wait */

/* ---- publishing */

/* The server's answer to a publish. error_code 0: stored. */
struct pub_ack {
	uint64_t seq;
	bool duplicate;
	/*
	 * JetStream err_code: 10071 wrong last sequence, 10077 full, ... 503: no stream has
	 * this subject
	 */
	int error_code;
	char error[160];
};
bool jetstream_pub_ack_parse(const struct bus_msg *msg, struct pub_ack *ack);

enum {
	JS_ERR_WRONG_LAST_SEQ = 10071, /* Nats-Expected-Last-Sequence did not hold */
	JS_ERR_STORE_FAILED = 10077,   /* the stream or the disk is full */
	/* of a DELETE request: the consumer's files could not be removed */
	JS_ERR_STREAM_GENERAL = 10051,
	/* a message of this Nats-Msg-Id is not stored yet or was refused (publish_message.h) */
	JS_ERR_ID_IN_PROCESS = 10158,
	JS_ERR_STREAM_NOT_FOUND = 10059,
	JS_ERR_CONSUMER_NOT_FOUND = 10014,
	JS_ERR_MSG_NOT_FOUND = 10037,
	JS_ERR_MSG_TOO_LARGE = 10054,     /* larger than the stream's max_msg_size */
	JS_ERR_HEADERS_TOO_LARGE = 10097, /* more than 64 KiB */
	/* not from JetStream: no stream has the subject, or JetStream is not available */
	JS_ERR_NO_STREAM = 503,
};

/*
 * The server rejects this message in any state; a smaller one, or one with another subject, may
 * be stored.
 */
bool jetstream_pub_ack_refuses(const struct pub_ack *ack);

/*
 * Publishes and waits for the ack. Sets `out->reply` itself. ERR_LIMIT: this message is too
 * large for the server or the stream.
 */
int jetstream_publish(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct pub_ack *ack, struct err *err);

#endif

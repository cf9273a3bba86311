// SPDX-License-Identifier: Apache-2.0
#include "saved_list.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bucket.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "protocol.h"

enum { TEXT_MAX = 1024 * 1024 }; /* bytes: NATS's default of max_payload */

/* What the text is. */
enum stage {
	UNKNOWN,    /* nothing: the bucket was not read */
	TO_RESTORE, /* what the bucket has */
	TO_WRITE,   /* a newer list; empty: none is newer */
};

struct saved_list {
	struct saved_list_config config;
	char key[256];

	/* the loop's */
	bool restored;
	uint64_t version; /* the processor's route_version that was saved, or is to be */

	/* the watch thread's */
	struct steady doubt; /* "not found" counts when it has lasted */
	uint64_t hash;       /* of the text that the bucket has */
	struct bucket_failure failure;

	pthread_mutex_t lock; /* for the rest */
	enum stage stage;
	struct buf text;
};

struct saved_list *
saved_list_open(const struct saved_list_config *config)
{
	struct saved_list *list;

	if (config->processor->save == NULL)
		return NULL;
	list = mem_alloc(sizeof(*list));
	list->config = *config;
	snprintf(list->key, sizeof(list->key), "%s." CHECKPOINT_KEY_TARGETS, config->durable);
	buf_init(&list->text, TEXT_MAX);
	pthread_mutex_init(&list->lock, NULL);
	return list;
}

void
saved_list_close(struct saved_list *list)
{
	if (list == NULL)
		return;
	buf_free(&list->text);
	pthread_mutex_destroy(&list->lock);
	free(list);
}

/* True: the list is in this stage. Its text is the caller's; the next one is to be written. */
static bool
take_text(struct saved_list *list, enum stage stage, struct buf *text)
{
	bool taken;

	pthread_mutex_lock(&list->lock);
	taken = list->stage == stage;
	if (taken) {
		*text = list->text;
		buf_init(&list->text, TEXT_MAX);
		list->stage = TO_WRITE;
	}
	pthread_mutex_unlock(&list->lock);
	return taken;
}

/* Takes the bytes of the text. */
static void
put_text(struct saved_list *list, enum stage stage, struct buf *text)
{
	pthread_mutex_lock(&list->lock);
	buf_free(&list->text);
	list->text = *text;
	list->stage = stage;
	pthread_mutex_unlock(&list->lock);
}

/* It could not be written: puts it back, unless there is a newer one. */
static void
put_back(struct saved_list *list, struct buf *text)
{
	pthread_mutex_lock(&list->lock);
	if (list->text.len == 0) {
		list->text = *text;
		buf_init(text, TEXT_MAX);
	}
	pthread_mutex_unlock(&list->lock);
}

/* ---- the loop's */

bool
saved_list_restore(struct saved_list *list, void *self)
{
	struct buf text;
	struct err err;

	if (list == NULL || list->restored || !take_text(list, TO_RESTORE, &text))
		return false;
	list->restored = true;
	if (text.len > 0 &&
		list->config.processor->restore(self, buf_str(&text), text.len, &err) != 0)
		log_warn("the saved list of targets cannot be used", L_STR("key", list->key),
			L_ERR(&err));
	buf_free(&text);
	list->version = list->config.processor->route_version(self);
	return true;
}

bool
saved_list_follow(struct saved_list *list, void *self)
{
	struct buf text;
	uint64_t version;

	if (list == NULL)
		return true;
	version = list->config.processor->route_version(self);
	if (!list->restored || version == list->version)
		return list->restored;
	list->version = version;
	buf_init(&text, TEXT_MAX);
	list->config.processor->save(self, &text);
	put_text(list, TO_WRITE, &text);
	return true;
}

/* ---- the watch thread's */

/* "Not found" of a leader that may lag counts when it has lasted. */
static bool
is_absent(struct saved_list *list, int64_t now_ms)
{
	struct bus *bus = list->config.bus;

	return stream_find_steady_for(&list->doubt, "saved list",
		       bus_clustered(bus) ? "any" : "", bus_reconnects(bus),
		       now_ms) >= STEADY_MS;
}

static void
read_bucket(struct saved_list *list, int64_t now_ms)
{
	struct bus *bus = list->config.bus;
	struct stream_msg msg;
	struct buf text;
	struct err err;

	buf_init(&text, TEXT_MAX);
	if (bucket_get(bus, list->key, &msg, &err) == 0) {
		buf_add(&text, msg.data, msg.len);
		jetstream_msg_free(&msg);
	} else if (err.code == ERR_NOT_FOUND ? !is_absent(list, now_ms)
					     : !bucket_is_forbidden(bus)) {
		return; /* read again in the next turn */
	}
	list->hash = hash_fnv1a(HASH_FNV1A, buf_str(&text), text.len);
	put_text(list, TO_RESTORE, &text);
	http_wakeup(list->config.http);
}

static int
write_text(struct saved_list *list, const struct buf *text, struct err *err)
{
	uint64_t hash = hash_fnv1a(HASH_FNV1A, buf_str(text), text->len);

	if (!buf_ok(text))
		return err_set(err, ERR_LIMIT, "it has more than %d bytes", TEXT_MAX);
	if (hash != list->hash &&
		bucket_put(list->config.bus, list->key, buf_str(text), text->len, err) != 0)
		return -1;
	list->hash = hash;
	return 0;
}

static void
write_bucket(struct saved_list *list, int64_t now_ms)
{
	struct buf text;
	struct err err;

	if (now_ms < list->failure.due_ms || !take_text(list, TO_WRITE, &text) || text.len == 0)
		return;
	if (write_text(list, &text, &err) == 0) {
		list->failure = (struct bucket_failure){ .logged = false };
	} else {
		if (bucket_failed(&list->failure, list->config.bus, err.code, now_ms))
			log_warn(
				"the list of targets cannot be saved: a restart begins without it",
				L_STR("key", list->key), L_ERR(&err));
		if (err.code != ERR_LIMIT)
			put_back(list, &text);
	}
	buf_free(&text);
}

void
saved_list_turn(struct saved_list *list, int64_t now_ms)
{
	enum stage stage;

	if (list == NULL)
		return;
	pthread_mutex_lock(&list->lock);
	stage = list->stage;
	pthread_mutex_unlock(&list->lock);
	if (stage == UNKNOWN)
		read_bucket(list, now_ms);
	else if (stage == TO_WRITE)
		write_bucket(list, now_ms);
}

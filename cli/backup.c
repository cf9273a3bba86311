// SPDX-License-Identifier: Apache-2.0
/* vcourier backup: every stream of vcourier, with messages, sequences and consumers. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup_set.h"
#include "command_list.h"
#include "json_member.h"
#include "mem.h"
#include "printable.h"
#include "protocol.h"
#include "session_open.h"
#include "stream_copy.h"
#include "subject.h"
#include "text.h"

struct backup_options {
	struct connection_flags connection;
};

/*
 * In this order, a stream that refers to another one is copied first: what a checkpoint or a
 * consumer has settled as a dead letter or a replay is then in the streams that follow. What
 * happens meanwhile is delivered again after a restore, and not lost. Leases are not copied:
 * they are of processes that run.
 */
enum rank { CHECKPOINTS, EVENTS, REPLAYS, DEAD, NOT_OURS };

struct found {
	char *name;
	enum rank rank;
};

struct found_list {
	struct found *stream;
	size_t n, left_out;
};

static enum rank
rank_of(const char *name)
{
	if (strcmp(name, KV_STREAM(CHECKPOINT_BUCKET)) == 0)
		return CHECKPOINTS;
	if (text_starts(name, VCENTER_STREAM_PREFIX) || text_starts(name, SOURCE_STREAM_PREFIX))
		return EVENTS;
	if (strcmp(name, REPLAY_STREAM) == 0)
		return REPLAYS;
	return strcmp(name, DEAD_STREAM) == 0 ? DEAD : NOT_OURS;
}

static void
add_stream(void *ctx, const char *name, const char *subject)
{
	struct found_list *list = ctx;
	enum rank rank = rank_of(name);

	(void)subject;
	if (rank == NOT_OURS)
		return;
	if (!backup_set_is_name(name)) {
		list->left_out++;
		printable_line(stderr,
			"vcourier: stream %.255s is not copied: vcourier gives no stream this name",
			name);
		return;
	}
	list->stream = mem_grow(list->stream, list->n + 1, sizeof(*list->stream));
	list->stream[list->n++] = (struct found){ mem_strdup(name), rank };
}

static int
by_rank(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->rank != y->rank ? (int)x->rank - (int)y->rank : strcmp(x->name, y->name);
}

/* A new directory, or an empty one. */
static int
make_directory(const char *path, struct err *err)
{
	DIR *dir;
	int n = 0;

	if (mkdir(path, 0700) == 0)
		return 0;
	dir = errno == EEXIST ? opendir(path) : NULL;
	if (dir == NULL)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	while (n <= 2 && readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n <= 2 ? 0 : err_set(err, ERR_USAGE, "%s is not empty", path);
}

/* The numbers of the description, for the list. */
static void
count(const struct buf *description, struct backup_entry *entry)
{
	cJSON *json = cJSON_ParseWithLength(description->data, description->len);
	const cJSON *state = json_member(json, "state");

	entry->messages = json_member_uint(state, "messages");
	entry->last_seq = json_member_uint(state, "last_seq");
	entry->consumers = json_member_uint(state, "consumer_count");
	cJSON_Delete(json);
}

static int
copy_stream(struct session *s, const char *dir, struct backup_entry *entry, struct err *err)
{
	char path[BACKUP_SET_PATH];
	struct backup_file file;
	struct buf description;
	struct err ignored;
	int rc;

	snprintf(path, sizeof(path), "%.3000s/%s", dir, entry->stream);
	if (mkdir(path, 0700) != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	backup_set_path(file.path, dir, entry->stream, BACKUP_SET_DATA);
	if (backup_file_create(&file, err) != 0)
		return -1;
	buf_init(&description, BACKUP_SET_DESCRIPTION_MAX);
	rc = stream_backup(s->bus,
		&(struct stream_copy){ entry->stream, backup_file_write, &file }, &description,
		err);
	entry->bytes = file.bytes;
	if (backup_file_close(&file, entry->sha256, rc == 0 ? err : &ignored) != 0)
		rc = -1;
	if (rc == 0) {
		backup_set_path(path, dir, entry->stream, BACKUP_SET_DESCRIPTION);
		rc = backup_file_save(path, &description, err);
		count(&description, entry);
	}
	buf_free(&description);
	return rc;
}

static int
copy_all(struct session *s, const char *dir, const struct found_list *list, struct err *err)
{
	struct backup_set set = { NULL, 0 };
	int rc = 0;

	for (size_t i = 0; i < list->n && rc == 0; i++) {
		struct backup_entry entry = { .messages = 0 };

		snprintf(entry.stream, sizeof(entry.stream), "%s", list->stream[i].name);
		rc = copy_stream(s, dir, &entry, err);
		if (rc != 0)
			break;
		backup_set_add(&set, &entry);
		printf("%s: %llu messages, %llu consumers, %llu bytes\n", entry.stream,
			(unsigned long long)entry.messages, (unsigned long long)entry.consumers,
			(unsigned long long)entry.bytes);
	}
	if (rc == 0)
		rc = backup_set_write(dir, &set, err);
	backup_set_free(&set);
	return rc;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct backup_options *o = values;
	struct found_list list = { .n = 0 };
	struct session s;
	struct err err;
	int rc;

	(void)n_args;
	rc = session_open(&s, &o->connection);
	if (rc != EXIT_NOT_YET)
		return rc;
	rc = jetstream_list_streams(s.bus, &(struct jetstream_list){ add_stream, &list }, &err);
	if (rc == 0 && list.n == 0)
		rc = err_set(&err, ERR_NOT_FOUND, "NATS has no stream of vcourier");
	if (rc == 0)
		rc = make_directory(args[0], &err);
	if (rc == 0) {
		qsort(list.stream, list.n, sizeof(*list.stream), by_rank);
		rc = copy_all(&s, args[0], &list, &err);
	}
	if (rc != 0)
		rc = session_fail(&s, &err);
	else if (list.left_out > 0)
		rc = EXIT_RUNTIME;
	for (size_t i = 0; i < list.n; i++)
		free(list.stream[i].name);
	free(list.stream);
	session_close(&s);
	return rc;
}

static const struct command_option options[] = { { NULL } };
static const struct command_exit exits[] = { { 0, "the backup is complete" },
	{ 1, "it is not" }, COMMAND_CONNECTS_EXITS };
static const char *const examples[] = {
	"backup --user admin --password-file /etc/vcourier/nats/secrets/admin /var/backups/vcourier",
	NULL
};

const struct command backup_command = { COMMAND_CONNECTS, .name = "backup",
	.summary = "copy all streams with their consumers to a directory", .arguments = "DIR",
	.args_min = 1, .args_max = 1, .options = options,
	.values_size = sizeof(struct backup_options),
	.about =
		"Writes the streams of events, dead letters, replays and checkpoints to DIR, which "
		"must be new or empty: messages, sequences, and consumers with their positions. "
		"Collectors and dispatchers may run; do not send dead letters again meanwhile.",
	.more = "It takes the NATS user admin: only users of the account that has the streams may "
		"copy them. Each directory in DIR is also a backup of `nats stream backup`. A "
		"directory without the file vcourier-backup.json is not complete.",
	.examples = examples, .exits = exits, .run = run };

// SPDX-License-Identifier: Apache-2.0
/* vcourier restore: the streams of a backup, into a NATS that does not have them. */
#include <stdlib.h>
#include <string.h>

#include "backup_set.h"
#include "command_list.h"
#include "file.h"
#include "jetstream.h"
#include "session_open.h"
#include "stream_copy.h"

struct restore_options {
	struct connection_flags connection;
	int64_t replicas;
};

enum { BLOCK = 64 * 1024, REPLICAS_MAX = 5 };

struct restore {
	const struct restore_options *options;
	const char *dir;
	char **wanted; /* names of streams; n_wanted 0: all of them */
	size_t n_wanted;
	struct backup_set set;
	struct session session;
};

static bool
is_wanted(const struct restore *r, const char *stream)
{
	bool wanted = r->n_wanted == 0;

	for (size_t i = 0; i < r->n_wanted; i++)
		wanted |= strcmp(r->wanted[i], stream) == 0;
	return wanted;
}

/* Reads the data of a stream as far as it goes, and compares its sum. */
static int
verify(const struct restore *r, const struct backup_entry *entry, struct err *err)
{
	static char block[BLOCK];
	struct backup_file file;
	char sum[sizeof(entry->sha256)];
	long n;

	backup_set_path(file.path, r->dir, entry->stream, BACKUP_SET_DATA);
	if (backup_file_open(&file, err) != 0) {
		err->code = ERR_CONFIG;
		return -1;
	}
	while ((n = backup_file_read(&file, block, sizeof(block), err)) > 0)
		;
	if (backup_file_close(&file, sum, err) != 0 || n < 0)
		return -1;
	if (file.bytes != entry->bytes || strcmp(sum, entry->sha256) != 0)
		return err_set(err, ERR_CONFIG,
			"%s is damaged: its size or its SHA-256 sum differs", file.path);
	return 0;
}

static int
check_absent(struct restore *r, const char *stream, struct err *err)
{
	struct stream_info info;

	if (jetstream_stream_look(r->session.bus, stream, &info, err) == 0)
		return err_set(err, ERR_CONFLICT,
			"%s exists: stop collectors and dispatchers and remove it, or name the streams to restore",
			stream);
	return err->code == ERR_NOT_FOUND ? 0 : -1;
}

/* Before anything changes: every stream is listed, whole, and not in NATS. */
static int
check_all(struct restore *r, struct err *err)
{
	size_t found = 0;

	for (size_t i = 0; i < r->set.n; i++) {
		const struct backup_entry *entry = &r->set.entry[i];

		if (!is_wanted(r, entry->stream))
			continue;
		found++;
		if (verify(r, entry, err) != 0 || check_absent(r, entry->stream, err) != 0)
			return -1;
	}
	if (found < r->n_wanted)
		return err_set(
			err, ERR_USAGE, "%s does not have all streams that were named", r->dir);
	return 0;
}

static int
restore_stream(struct restore *r, const struct backup_entry *entry, struct err *err)
{
	char path[BACKUP_SET_PATH], sum[sizeof(entry->sha256)];
	struct backup_file file;
	struct buf description;
	struct err ignored;
	uint64_t last_seq = 0;
	int rc;

	buf_init(&description, BACKUP_SET_DESCRIPTION_MAX);
	backup_set_path(path, r->dir, entry->stream, BACKUP_SET_DESCRIPTION);
	backup_set_path(file.path, r->dir, entry->stream, BACKUP_SET_DATA);
	rc = file_read(path, &description, NULL, err);
	if (rc == 0)
		rc = backup_file_open(&file, err);
	if (rc == 0) {
		rc = stream_restore(r->session.bus,
			&(struct stream_original){ entry->stream, description.data,
				description.len, (int)r->options->replicas, backup_file_read,
				&file },
			&last_seq, err);
		backup_file_close(&file, sum, &ignored);
	}
	buf_free(&description);
	if (rc == 0 && last_seq != entry->last_seq)
		rc = err_set(err, ERR_PROTOCOL, "%s: the last sequence is %llu, and was %llu",
			entry->stream, (unsigned long long)last_seq,
			(unsigned long long)entry->last_seq);
	if (rc == 0)
		printf("%s: %llu messages, %llu consumers\n", entry->stream,
			(unsigned long long)entry->messages,
			(unsigned long long)entry->consumers);
	return rc;
}

static int
restore(struct restore *r)
{
	struct err err;
	int rc = backup_set_read(r->dir, &r->set, &err);

	if (rc != 0 && err.code == ERR_NOT_FOUND)
		err_set(&err, ERR_CONFIG,
			"%s has no vcourier-backup.json: it is no complete backup", r->dir);
	else if (rc != 0)
		err.code = ERR_CONFIG;
	if (rc == 0)
		rc = check_all(r, &err);
	for (size_t i = 0; i < r->set.n && rc == 0; i++)
		if (is_wanted(r, r->set.entry[i].stream))
			rc = restore_stream(r, &r->set.entry[i], &err);
	backup_set_free(&r->set);
	return rc == 0 ? 0 : session_fail(&r->session, &err);
}

static int
run(void *values, char **args, size_t n)
{
	struct restore r = {
		.options = values, .dir = args[0], .wanted = args + 1, .n_wanted = n - 1
	};
	int rc;

	if (r.options->replicas > REPLICAS_MAX)
		return command_usage_error(
			&restore_command, "--replicas is from 1 to %d", REPLICAS_MAX);
	rc = session_open(&r.session, &r.options->connection);
	if (rc != EXIT_NOT_YET)
		return rc;
	rc = restore(&r);
	session_close(&r.session);
	return rc;
}

static const struct command_option options[] = {
	{ "replicas", 0, COMMAND_COUNT, offsetof(struct restore_options, replicas), "N", NULL,
		0, "replicas of each stream; default: as many as before" },
	{ NULL },
};
static const struct command_exit exits[] = { { 0, "restored" },
	{ 1, "not all streams were restored" }, COMMAND_CONNECTS_EXITS };
static const char *const examples[] = {
	"restore --user admin --password-file /etc/vcourier/nats/secrets/admin /var/backups/vcourier",
	NULL
};

const struct command restore_command = { COMMAND_CONNECTS, .name = "restore",
	.summary = "restore the streams of a backup into an empty NATS",
	.arguments = "DIR [STREAM...]", .args_min = 1, .args_max = SIZE_MAX, .options = options,
	.values_size = sizeof(struct restore_options),
	.about =
		"Restores streams that \"vcourier backup\" has written: messages, sequences and "
		"consumers. Collectors and dispatchers must be stopped, and then continue where they "
		"were at the time of the backup. First checks that the backup is whole and that none of "
		"the streams exists.",
	.more = "It takes the NATS user admin. After a failure, remove the streams that were restored, or "
		"name the others.",
	.examples = examples, .exits = exits, .run = run };

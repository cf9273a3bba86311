// SPDX-License-Identifier: Apache-2.0
/*
 * A backup: a directory with one directory for each stream, as `nats stream backup` writes it
 * (backup.json, stream.tar.s2), and vcourier-backup.json, which lists them. The list is written
 * last, so a directory without it is not a complete backup.
 */
#ifndef VCOURIER_BACKUP_SET_H
#define VCOURIER_BACKUP_SET_H

#include <stdint.h>
#include <stdio.h>

#include "buf.h"
#include "err.h"

#define BACKUP_SET_DATA "stream.tar.s2"
#define BACKUP_SET_DESCRIPTION "backup.json"

enum { BACKUP_SET_STREAMS_MAX = 10000, BACKUP_SET_DESCRIPTION_MAX = 1024 * 1024 };

struct backup_entry {
	char stream[256]; /* a NATS token without characters of a path */
	uint64_t messages, last_seq, consumers;
	uint64_t bytes;  /* of the data */
	char sha256[65]; /* of the data, lower-case hexadecimal digits */
};

struct backup_set {
	struct backup_entry *entry;
	size_t n;
};

/* ERR_NOT_FOUND: dir has no list. ERR_CONFIG: the list is damaged; err says where. */
int backup_set_read(const char *dir, struct backup_set *set, struct err *err);
int backup_set_parse(const char *text, size_t len, struct backup_set *set, struct err *err);
int backup_set_write(const char *dir, const struct backup_set *set, struct err *err);
void backup_set_free(struct backup_set *set);
void backup_set_add(struct backup_set *set, const struct backup_entry *entry);

/* "DIR/STREAM/NAME", size 4096 */
enum { BACKUP_SET_PATH = 4096 };
const char *backup_set_path(
	char path[BACKUP_SET_PATH], const char *dir, const char *stream, const char *name);

/*
 * Whether a stream of this name can be in a backup. Names are from outside and become names of
 * directories; vcourier gives streams no other ones.
 */
bool backup_set_is_name(const char *stream);

/* The data of one stream, with its SHA-256 sum. Close it once. */
struct backup_file {
	FILE *file;
	void *sum; /* EVP_MD_CTX */
	uint64_t bytes;
	char path[BACKUP_SET_PATH];
};
int backup_file_create(struct backup_file *f, struct err *err); /* f->path, mode 0600 */
int backup_file_open(struct backup_file *f, struct err *err);
int backup_file_write(void *f, const void *data, size_t len, struct err *err);
long backup_file_read(void *f, void *data, size_t size, struct err *err);
/* sha256 of what was written or read. After writing, the file is on the disk. */
int backup_file_close(struct backup_file *f, char sha256[65], struct err *err);

/* Writes a whole file, mode 0600, and its directory entry, to the disk. */
int backup_file_save(const char *path, const struct buf *text, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "backup_set.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"

#define LIST "vcourier-backup.json"
enum { LIST_MAX = 8 * 1024 * 1024, FORMAT = 1, SHA256_DIGITS = 64 };

const char *
backup_set_path(
	char path[BACKUP_SET_PATH], const char *dir, const char *stream, const char *name)
{
	snprintf(path, BACKUP_SET_PATH, "%.3000s/%.300s/%.100s", dir, stream, name);
	return path;
}

void
backup_set_add(struct backup_set *set, const struct backup_entry *entry)
{
	set->entry = mem_grow(set->entry, set->n + 1, sizeof(*set->entry));
	set->entry[set->n++] = *entry;
}

void
backup_set_free(struct backup_set *set)
{
	free(set->entry);
	*set = (struct backup_set){ NULL, 0 };
}

bool
backup_set_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < sizeof(((struct backup_entry *)0)->stream) &&
		strspn(name,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=") ==
		len;
}

static bool
valid_sum(const char *sum)
{
	return strlen(sum) == SHA256_DIGITS && strspn(sum, "0123456789abcdef") == SHA256_DIGITS;
}

static int
parse_entry(const cJSON *item, struct backup_set *set, struct err *err)
{
	const char *name = json_member_text(item, "stream");
	const char *sum = json_member_text(item, "sha256");
	struct backup_entry e = { .messages = json_member_uint(item, "messages"),
		.last_seq = json_member_uint(item, "lastSeq"),
		.consumers = json_member_uint(item, "consumers"),
		.bytes = json_member_uint(item, "bytes") };

	if (!backup_set_is_name(name))
		return err_set(
			err, ERR_CONFIG, LIST ": \"%.60s\" is no name of a stream", name);
	if (!valid_sum(sum))
		return err_set(err, ERR_CONFIG, LIST ": %.60s: no SHA-256 sum", name);
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->entry[i].stream, name) == 0)
			return err_set(err, ERR_CONFIG, LIST ": %.60s is listed twice", name);
	memcpy(e.stream, name, strlen(name) + 1);
	memcpy(e.sha256, sum, SHA256_DIGITS + 1);
	backup_set_add(set, &e);
	return 0;
}

int
backup_set_parse(const char *text, size_t len, struct backup_set *set, struct err *err)
{
	cJSON *json = cJSON_ParseWithLength(text, len);
	const cJSON *streams = json_member(json, "streams"), *item;
	int rc = 0;

	*set = (struct backup_set){ NULL, 0 };
	if (!cJSON_IsArray(streams) || json_member_int(json, "format") != FORMAT)
		rc = err_set(err, ERR_CONFIG,
			LIST ": not a list of format %d, which this version of vcourier reads",
			FORMAT);
	else if (cJSON_GetArraySize(streams) > BACKUP_SET_STREAMS_MAX)
		rc = err_set(
			err, ERR_CONFIG, LIST ": more than %d streams", BACKUP_SET_STREAMS_MAX);
	for (item = rc == 0 ? streams->child : NULL; item != NULL && rc == 0; item = item->next)
		rc = parse_entry(item, set, err);
	cJSON_Delete(json);
	if (rc != 0)
		backup_set_free(set);
	return rc;
}

int
backup_set_read(const char *dir, struct backup_set *set, struct err *err)
{
	char path[BACKUP_SET_PATH];
	struct buf text;
	int rc;

	snprintf(path, sizeof(path), "%.3000s/" LIST, dir);
	buf_init(&text, LIST_MAX);
	rc = file_read(path, &text, NULL, err);
	if (rc == 0)
		rc = backup_set_parse(text.data, text.len, set, err);
	buf_free(&text);
	return rc;
}

int
backup_set_write(const char *dir, const struct backup_set *set, struct err *err)
{
	char path[BACKUP_SET_PATH], created[CLOCK_TEXT_SIZE];
	struct buf text;
	int rc;

	buf_init(&text, LIST_MAX);
	buf_printf(&text,
		"{\"format\":%d,\"version\":\"" VCOURIER_VERSION
		"\",\"created\":\"%s\",\"streams\":[",
		FORMAT, clock_format_ms(clock_wall_us(), created));
	for (size_t i = 0; i < set->n; i++) {
		const struct backup_entry *e = &set->entry[i];

		buf_add_str(&text, i == 0 ? "\n {" : ",\n {");
		json_add_member(&text, "stream", e->stream);
		buf_printf(&text,
			",\"messages\":%llu,\"lastSeq\":%llu,\"consumers\":%llu,\"bytes\":%llu,\"sha256\":\"%s\"}",
			(unsigned long long)e->messages, (unsigned long long)e->last_seq,
			(unsigned long long)e->consumers, (unsigned long long)e->bytes,
			e->sha256);
	}
	buf_add_str(&text, "]}\n");
	snprintf(path, sizeof(path), "%.3000s/" LIST, dir);
	rc = backup_file_save(path, &text, err);
	buf_free(&text);
	return rc;
}

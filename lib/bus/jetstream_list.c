// SPDX-License-Identifier: Apache-2.0
/* Lists of streams and consumers, which come in pages. */
#include <stdio.h>
#include <string.h>

#include "jetstream.h"
#include "jetstream_api.h"
#include "json.h"
#include "json_member.h"

/* bound the memory and the time of the caller */
enum {
	ENTRIES_MAX = 10 * 1000,
	SUBJECTS_MAX = 100 * 1000,
	SUBJECTS_BYTES_MAX = 64 * 1024,
};

/* A name, or the object of a stream. */
static void
add_entry(const struct jetstream_list *list, const cJSON *entry)
{
	const cJSON *config = json_member(entry, "config"), *subject;
	struct buf subjects;

	buf_init(&subjects, SUBJECTS_BYTES_MAX);
	cJSON_ArrayForEach(subject, json_member(config, "subjects")) {
		buf_add_str(&subjects, subjects.len != 0 ? ", " : "");
		buf_add_str(&subjects, cJSON_IsString(subject) ? subject->valuestring : "");
	}
	list->add(list->ctx,
		cJSON_IsString(entry) ? entry->valuestring : json_member_text(config, "name"),
		buf_ok(&subjects) ? buf_str(&subjects) : "");
	buf_free(&subjects);
}

/*
 * Requests the pages and calls each for every entry of the array `member`. 0, or -1: a request
 * failed.
 */
static int
each_page(struct bus *bus, const char *subject, const char *member,
	const struct jetstream_list *list, struct err *err)
{
	int offset = 0, n = 1;

	while (n > 0 && offset < ENTRIES_MAX) {
		cJSON *reply = NULL;
		const cJSON *entries, *entry;
		struct buf body;
		int rc;

		buf_init(&body, 64);
		buf_printf(&body, "{\"offset\":%d}", offset);
		rc = jetstream_call(bus, subject, &body, &reply, err);
		buf_free(&body);
		if (rc != 0)
			return -1;
		n = 0;
		entries = json_member(reply, member);
		cJSON_ArrayForEach(entry, entries) {
			add_entry(list, entry);
			n++;
		}
		offset += n;
		if (offset >= json_member_number(reply, "total"))
			n = 0;
		cJSON_Delete(reply);
	}
	return 0;
}

int
jetstream_list_streams(struct bus *bus, const struct jetstream_list *list, struct err *err)
{
	char subject[JS_NAME_MAX];

	snprintf(subject, sizeof(subject), "%s.STREAM.LIST", bus_api_prefix(bus));
	return each_page(bus, subject, "streams", list, err);
}

int
jetstream_list_consumers(
	struct bus *bus, const char *stream, const struct jetstream_list *list, struct err *err)
{
	char subject[JS_NAME_MAX];

	snprintf(subject, sizeof(subject), "%s.CONSUMER.NAMES.%s", bus_api_prefix(bus), stream);
	return each_page(bus, subject, "consumers", list, err);
}

int
jetstream_list_subjects(struct bus *bus, const char *stream, const char *filter,
	const struct jetstream_subjects *list, struct err *err)
{
	char request[JS_NAME_MAX];
	int offset = 0, n = 1;

	snprintf(request, sizeof(request), "%s.STREAM.INFO.%s", bus_api_prefix(bus), stream);
	while (n > 0 && offset < SUBJECTS_MAX) {
		cJSON *reply = NULL;
		const cJSON *subject;
		struct buf body;
		int rc;

		buf_init(&body, 2048);
		buf_add_str(&body, "{\"subjects_filter\":");
		json_add_string(&body, filter, strlen(filter));
		buf_printf(&body, ",\"offset\":%d}", offset);
		rc = jetstream_call(bus, request, &body, &reply, err);
		buf_free(&body);
		if (rc != 0)
			return -1;
		n = 0;
		cJSON_ArrayForEach(
			subject, json_member(json_member(reply, "state"), "subjects")) {
			list->add(list->ctx, subject->string != NULL ? subject->string : "",
				json_uint(subject));
			n++;
		}
		offset += n;
		if (offset >= json_member_number(reply, "total"))
			n = 0;
		cJSON_Delete(reply);
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Lists of streams and consumers, which come in pages. */
#include <stdio.h>
#include <string.h>

#include "jetstream.h"
#include "jetstream_api.h"
#include "json_member.h"

enum { ENTRIES_MAX = 10 * 1000 }; /* bounds the memory and the time of the caller */

/*
 * Requests the pages and calls each for every entry of the array `member`. 0, or -1: a request
 * failed.
 */
static int
each_page(struct bus *bus, const char *subject, const char *member,
	const struct jetstream_list *list, struct err *err)
{
	double offset = 0, total = 1;

	while (offset < total && offset < ENTRIES_MAX) {
		cJSON *reply = NULL;
		const cJSON *entries, *entry;
		struct buf body;
		int n = 0, rc;

		buf_init(&body, 64);
		buf_printf(&body, "{\"offset\":%.0f}", offset);
		rc = jetstream_call(bus, subject, &body, &reply, err);
		buf_free(&body);
		if (rc != 0)
			return -1;
		entries = json_member(reply, member);
		cJSON_ArrayForEach(entry, entries)
		{
			const cJSON *config = json_member(entry, "config");
			const cJSON *subjects = json_member(config, "subjects");
			const char *name = cJSON_IsString(entry)
				? entry->valuestring
				: json_member_text(config, "name");
			const char *first = cJSON_GetStringValue(
				cJSON_GetArrayItem(subjects, 0));

			list->add(list->ctx, name, first != NULL ? first : "");
			n++;
		}
		total = json_member_number(reply, "total");
		cJSON_Delete(reply);
		if (n == 0)
			break;
		offset += n;
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

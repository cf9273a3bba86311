// SPDX-License-Identifier: Apache-2.0
#include "stream_settings.h"

#include <stdio.h>
#include <string.h>

#include "jetstream_api.h"
#include "json.h"
#include "json_member.h"

#define NS_PER_MS INT64_C(1000000)

static bool
is_placed(const struct stream_config *c)
{
	return c->placement_cluster != NULL ||
		(c->placement_tags != NULL && *c->placement_tags != NULL);
}

/* As a JSON string; NULL: "". */
static void
add_text(struct buf *b, const char *text)
{
	json_add_string(b, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void
write_placement(struct buf *b, const struct stream_config *c)
{
	char *const *tag = c->placement_tags;

	if (!is_placed(c))
		return;
	buf_add_str(b, ",\"placement\":{\"cluster\":");
	add_text(b, c->placement_cluster);
	buf_add_str(b, ",\"tags\":[");
	for (; tag != NULL && *tag != NULL; tag++) {
		add_text(b, *tag);
		buf_add_str(b, tag[1] != NULL ? "," : "");
	}
	buf_add_str(b, "]}");
}

void
stream_settings_write(struct buf *b, const struct stream_config *c)
{
	size_t i;

	buf_add_str(b, "{\"name\":");
	add_text(b, c->name);
	buf_add_str(b, ",\"subjects\":[");
	for (i = 0; i < 4 && c->subjects[i] != NULL; i++) {
		buf_add_str(b, i ? "," : "");
		add_text(b, c->subjects[i]);
	}
	buf_add_str(b, "],\"description\":");
	add_text(b, c->description);
	buf_printf(b,
		",\"retention\":\"limits\",\"storage\":\"file\",\"max_consumers\":-1,\"max_msgs\":-1,"
		"\"max_msg_size\":-1,\"max_bytes\":%lld,\"max_age\":%lld,\"num_replicas\":%d,"
		"\"duplicate_window\":%lld,\"discard\":\"%s\",\"max_msgs_per_subject\":%d,\"allow_direct\":true,"
		"\"allow_rollup_hdrs\":false,\"deny_delete\":%s,\"deny_purge\":%s",
		(long long)(c->max_bytes > 0 ? c->max_bytes : -1),
		(long long)(c->max_age_ms * NS_PER_MS), c->replicas > 0 ? c->replicas : 1,
		(long long)(c->duplicate_window_ms * NS_PER_MS), c->discard_new ? "new" : "old",
		c->max_msgs_per_subject > 0 ? c->max_msgs_per_subject : -1,
		c->deny_delete ? "true" : "false", c->deny_purge ? "true" : "false");
	if (c->compressed)
		buf_add_str(b, ",\"compression\":\"s2\"");
	write_placement(b, c);
	buf_add_char(b, '}');
}

static void
text_differs(struct stream_info *info, const char *name, const char *is, const char *wanted)
{
	size_t used = strlen(info->differs);

	if (strcmp(is, wanted) != 0)
		snprintf(info->differs + used, sizeof(info->differs) - used,
			"%s%s is %s, configured %s", used ? "; " : "", name, is, wanted);
}

/* The server may write tags in another case, and in another order: only their number counts. */
static void
placement_differs(const cJSON *is, const struct stream_config *c, struct stream_info *info)
{
	const cJSON *placement = json_member(is, "placement");
	const char *cluster = json_member_text(placement, "cluster");
	size_t tags = 0;

	if (!is_placed(c))
		return;
	while (c->placement_tags != NULL && c->placement_tags[tags] != NULL)
		tags++;
	text_differs(info, "placement.cluster", *cluster != '\0' ? cluster : "any",
		c->placement_cluster != NULL ? c->placement_cluster : "any");
	jetstream_differs(info->differs, sizeof(info->differs), "the number of placement.tags",
		cJSON_GetArraySize(json_member(placement, "tags")), (double)tags);
}

void
stream_settings_compare(
	const cJSON *is, const struct stream_config *c, struct stream_info *info)
{
	char *d = info->differs;
	size_t size = sizeof(info->differs);

	jetstream_differs(d, size, "max_bytes", json_member_number(is, "max_bytes"),
		(double)(c->max_bytes > 0 ? c->max_bytes : -1));
	jetstream_differs(d, size, "max_age (ns)", json_member_number(is, "max_age"),
		(double)(c->max_age_ms * NS_PER_MS));
	jetstream_differs(d, size, "duplicate_window (ns)",
		json_member_number(is, "duplicate_window"),
		(double)(c->duplicate_window_ms * NS_PER_MS));
	jetstream_differs(d, size, "num_replicas", json_member_number(is, "num_replicas"),
		c->replicas > 0 ? c->replicas : 1);
	text_differs(info, "retention", json_member_text(is, "retention"), "limits");
	text_differs(info, "discard", json_member_text(is, "discard"),
		c->discard_new ? "new" : "old");
	if (strcmp(json_member_text(is, "compression"), "s2") != 0 && c->compressed)
		text_differs(info, "compression", "none", "s2");
	placement_differs(is, c, info);
}

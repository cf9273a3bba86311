// SPDX-License-Identifier: Apache-2.0
#include "bus_streams.h"

#include <string.h>

#include "protocol.h"
#include "subject.h"

static void
set_limits(const struct bus_stream_options *options, struct stream_config *out)
{
	out->max_age_ms = options->max_age_ms;
	out->max_bytes = options->max_bytes;
	out->duplicate_window_ms = options->duplicate_window_ms;
	out->replicas = (int)options->replicas;
	out->compressed = options->compression == BUS_COMPRESSION_S2;
	out->placement_cluster = options->placement.cluster;
	out->placement_tags = options->placement.tags;
}

const char *
bus_streams_prefix(const struct bus_config *config, const struct router_entry *provider)
{
	return router_entry_is_vcenter(provider) ? config->subject_prefix
						 : SOURCE_SUBJECT_PREFIX;
}

void
bus_streams_events(const struct bus_config *config, const struct router_entry *provider,
	struct buf *texts, struct stream_config *out)
{
	size_t subjects;

	if (router_entry_is_vcenter(provider))
		subject_stream(texts, provider->name);
	else
		subject_stream_source(texts, provider->name);
	buf_add_char(texts, '\0');
	subjects = texts->len;
	buf_printf(texts, "%s.", bus_streams_prefix(config, provider));
	subject_add_token(texts, provider->name, strlen(provider->name));
	buf_add_str(texts, ".>");
	*out = (struct stream_config){
		.name = buf_str(texts),
		.subjects = { buf_str(texts) + subjects },
		.discard_new = config->stream.when_full == WHEN_FULL_PAUSE,
		/* its last message is the collector's position */
		.deny_delete = true,
		.deny_purge = true,
	};
	set_limits(&config->stream, out);
}

void
bus_streams_dead_letters(const struct bus_config *config, struct stream_config *out)
{
	*out = (struct stream_config){ .name = DEAD_STREAM,
		.subjects = { DEAD_PREFIX ".>" },
		.description = "dead letters",
		.discard_new = true,  /* when it is full, deliveries pause */
		.deny_purge = true }; /* the operator may delete single messages */
	set_limits(&config->dead_letters, out);
}

void
bus_streams_replays(const struct bus_config *config, struct stream_config *out)
{
	*out = (struct stream_config){ .name = REPLAY_STREAM,
		.subjects = { REPLAY_PREFIX ".>" },
		.description = "events to send again to one dispatcher",
		.discard_new = true,
		.deny_delete = true,
		.deny_purge = true };
	set_limits(&config->dead_letters, out);
}

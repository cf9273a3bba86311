// SPDX-License-Identifier: Apache-2.0
/* vcourier-dispatcher: delivers the events of the bus to one backend. */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "dispatcher_spec.h"
#include "dispatch.h"
#include "log.h"
#include "mem.h"
#include "processor_options.h"
#include "stats.h"
#include "subject.h"

/* One stream for each vCenter in the file; free_streams frees them. */
static struct stream_config *
streams_of(const struct router_config *config)
{
	const struct router_entries *providers = &config->providers;
	struct stream_config *streams = mem_array(providers->n + 1, sizeof(*streams));

	for (size_t i = 0; i < providers->n; i++) {
		const char *name = providers->entry[i].name;
		struct buf stream, subject;

		buf_init(&stream, CONFIG_FILE_MAX);
		buf_init(&subject, CONFIG_FILE_MAX);
		subject_stream(&stream, name);
		buf_printf(&subject, "%s.", config->top.bus.subject_prefix);
		subject_add_token(&subject, name, strlen(name));
		buf_add_str(&subject, ".>");
		bus_config_stream(&config->top.bus.stream, &streams[i]);
		streams[i].deny_delete = streams[i].deny_purge = true;
		streams[i].name = buf_take(&stream, NULL);
		streams[i].subjects[0] = buf_take(&subject, NULL);
	}
	return streams;
}

static void
free_streams(struct stream_config *streams, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)streams[i].name);
		free((void *)(uintptr_t)streams[i].subjects[0]);
	}
	free(streams);
}

static int
run(const struct dispatcher_options *o, const struct router_config *config,
	const struct router_entry *entry)
{
	struct stream_config replay, dead;
	struct dispatcher_config dc = { .name = entry->name,
		.prefix = config->top.bus.subject_prefix,
		.n_streams = config->providers.n,
		.dead_stream = &dead,
		.replay_stream = &replay,
		.options = &o->common,
		.processor = o->processor.processor,
		.processor_config = o->processor.config };
	struct stream_config *streams;
	struct bus_options bo;
	struct bus *bus = NULL;
	struct buf inbox;
	struct err err;
	int failed;

	stats_init(false, entry->name, processor_options_address(entry, &o->processor));
	buf_init(&inbox, CONFIG_FILE_MAX);
	streams = streams_of(config);
	dc.streams = streams;
	bus_config_dead_letters(&config->top.bus, &dead);
	bus_config_replays(&config->top.bus, &replay);
	bus_config_options(&config->top.bus, "dispatcher", entry->name, &inbox, &bo);
	failed = bus_open(&bus, &bo, &err);
	if (!failed)
		failed = dispatcher_run(&dc, bus, &err);
	if (failed)
		log_error("stopped", L_ERR(&err));
	free_streams(streams, config->providers.n);
	buf_free(&inbox);
	return failed ? EXIT_RUNTIME : 0;
}

int
main(int argc, char **argv)
{
	struct daemon *daemon;
	int code = daemon_open(&daemon, &dispatcher_spec, argc, argv);

	if (code != EXIT_NOT_YET)
		return code;
	do
		code = run(daemon_options(daemon), daemon_config(daemon), daemon_entry(daemon));
	while (daemon_again(daemon, code));
	daemon_close(daemon);
	return code;
}

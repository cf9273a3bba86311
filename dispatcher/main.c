// SPDX-License-Identifier: Apache-2.0
/* vcourier-dispatcher: delivers the events of the bus to one backend. */
#include <stdlib.h>
#include <string.h>

#include "bus_streams.h"
#include "daemon.h"
#include "dispatcher_spec.h"
#include "dispatch.h"
#include "log.h"
#include "mem.h"
#include "processor_options.h"
#include "stats.h"

/* One stream for each vCenter in the file, and the texts that it points to. */
struct event_streams {
	struct stream_config *stream;
	struct buf *texts;
	size_t n;
};

static struct event_streams
streams_of(const struct router_config *config)
{
	const struct router_entries *providers = &config->providers;
	struct event_streams s = { .stream = mem_array(providers->n + 1, sizeof(*s.stream)),
		.texts = mem_array(providers->n + 1, sizeof(*s.texts)),
		.n = providers->n };

	for (size_t i = 0; i < s.n; i++) {
		buf_init(&s.texts[i], 2 * CONFIG_FILE_MAX);
		bus_streams_events(
			&config->top.bus, providers->entry[i].name, &s.texts[i], &s.stream[i]);
	}
	return s;
}

static void
free_streams(struct event_streams *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_free(&s->texts[i]);
	free(s->texts);
	free(s->stream);
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
	struct event_streams streams = streams_of(config);
	struct bus_options bo;
	struct bus *bus = NULL;
	struct buf inbox;
	struct err err;
	int failed;

	stats_init(false, entry->name, processor_options_address(entry, &o->processor));
	buf_init(&inbox, CONFIG_FILE_MAX);
	dc.streams = streams.stream;
	bus_streams_dead_letters(&config->top.bus, &dead);
	bus_streams_replays(&config->top.bus, &replay);
	bus_config_options(&config->top.bus, "dispatcher", entry->name, &inbox, &bo);
	failed = bus_open(&bus, &bo, &err);
	if (!failed)
		failed = dispatcher_run(&dc, bus, &err);
	if (failed)
		log_error("stopped", L_ERR(&err));
	free_streams(&streams);
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

// SPDX-License-Identifier: Apache-2.0
/* vcourier-dispatcher: delivers the events of the bus to one backend. */
#include "bus_streams.h"
#include "daemon.h"
#include "dispatcher_spec.h"
#include "dispatch.h"
#include "log.h"
#include "processor_options.h"
#include "stats.h"

/* A daemon_take_fn. */
static void
on_providers(void *streams, const struct router_config *config)
{
	wanted_streams_set(streams, config);
}

static int
run(struct daemon *daemon)
{
	const struct dispatcher_options *o = daemon_options(daemon);
	const struct router_config *config = daemon_config(daemon);
	const struct router_entry *entry = daemon_entry(daemon);
	struct stream_config replay, dead;
	struct dispatcher_config dc = { .name = entry->name,
		.prefix = config->top.bus.subject_prefix,
		.dead_stream = &dead,
		.replay_stream = &replay,
		.options = &o->common,
		.streams = wanted_streams_open(&o->common),
		.processor = o->processor.processor,
		.processor_config = o->processor.config };
	struct bus_options bo;
	struct bus *bus = NULL;
	struct buf inbox;
	struct err err;
	int failed;

	stats_init(false, entry->name, processor_options_address(entry, &o->processor));
	buf_init(&inbox, CONFIG_FILE_MAX);
	wanted_streams_set(dc.streams, config);
	daemon_on_providers(daemon, on_providers, dc.streams);
	bus_streams_dead_letters(&config->top.bus, &dead);
	bus_streams_replays(&config->top.bus, &replay);
	bus_config_options(&config->top.bus, "dispatcher", entry->name, &inbox, &bo);
	failed = bus_open(&bus, &bo, &err);
	if (!failed)
		failed = dispatcher_run(&dc, bus, &err);
	if (failed)
		log_error("stopped", L_ERR(&err));
	daemon_on_providers(daemon, NULL, NULL);
	wanted_streams_close(dc.streams);
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
		code = run(daemon);
	while (daemon_again(daemon, code));
	daemon_close(daemon);
	return code;
}

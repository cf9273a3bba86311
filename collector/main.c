// SPDX-License-Identifier: Apache-2.0
/* vcourier-collector: publishes the events of one eventProvider to its stream. */
#include "bus_streams.h"
#include "collect.h"
#include "collector_spec.h"
#include "daemon.h"
#include "log.h"
#include "source_choice.h"
#include "stats.h"

static void
fill(struct collect_options *o, const struct source_choice *choice,
	const struct router_entry *entry, const struct bus_config *bus)
{
	*o = (struct collect_options){ .name = entry->name,
		.subject_prefix = bus_streams_prefix(bus, entry),
		.source = choice->source,
		.source_options = choice->options };
	choice->source->settings(choice->options, &o->settings);
}

static int
run(const struct router_config *config, const struct router_entry *entry,
	const struct source_choice *choice)
{
	struct buf stream, texts;
	struct collect_options options;
	struct bus_options bus_options;
	struct http *http = NULL;
	struct bus *bus = NULL;
	struct err err;
	int code = EXIT_RUNTIME;

	fill(&options, choice, entry, &config->top.bus);
	stats_init(true, entry->name, options.settings.address);
	buf_init(&stream, 2 * CONFIG_FILE_MAX);
	buf_init(&texts, CONFIG_FILE_MAX);
	bus_streams_events(&config->top.bus, entry, &stream, &options.stream);
	bus_config_options(&config->top.bus, "collector", entry->name, &texts, &bus_options);
	log_info("collector starts", L_STR(options.source->name, options.settings.address),
		L_STR("stream", options.stream.name), L_STR("nats", bus_options.urls[0]),
		L_STR("version", VCOURIER_VERSION));
	if (http_open(&http, &err) == 0 && bus_open(&bus, &bus_options, &err) == 0 &&
		collect_run(bus, http, &options, &err) == 0)
		code = 0;
	else
		log_error("collector cannot run", L_ERR(&err));
	http_close(http);
	buf_free(&stream);
	buf_free(&texts);
	return code;
}

int
main(int argc, char **argv)
{
	struct daemon *daemon;
	int code = daemon_open(&daemon, &collector_spec, argc, argv);

	if (code != EXIT_NOT_YET)
		return code;
	do
		code = run(daemon_config(daemon), daemon_entry(daemon), daemon_options(daemon));
	while (daemon_again(daemon, code));
	daemon_close(daemon);
	return code;
}

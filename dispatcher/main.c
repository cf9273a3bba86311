// SPDX-License-Identifier: Apache-2.0
/* vcourier-dispatcher: delivers the events of the bus to one backend. */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "dispatch.h"
#include "log.h"
#include "mem.h"
#include "processor_options.h"
#include "stats.h"
#include "subject.h"

struct options {
	struct dispatch_options common;
	struct processor_options processor;
};

static int
bind_options(const struct router_config *config, const struct router_entry *entry, void *out,
	struct config_errors *errors)
{
	struct options *o = out;

	(void)config;
	if (processor_options_bind(entry, dispatch_fields, &o->common, sizeof(o->common), &o->processor, errors) != 0)
		return -1;
	return dispatch_options_check(entry->node, &o->common, errors);
}

static void
release_options(void *out)
{
	struct options *o = out;

	processor_options_release(&o->processor);
	config_release(dispatch_fields, &o->common);
}

static void
help(void)
{
	processor_options_help(dispatch_fields);
}

/* One stream for each vCenter in the file; their names and subjects live in texts. */
static struct stream_config *
streams_of(const struct router_config *config, struct buf *texts)
{
	const struct router_entries *providers = &config->providers;
	struct stream_config *streams = mem_array(providers->n + 1, sizeof(*streams));
	const char *prefix = config->top.bus.subject_prefix;
	struct buf name, token;

	buf_init(&name, 256);
	buf_init(&token, 256);
	buf_room(texts, providers->n * 512 + 1); /* so that it does not move */
	for (size_t i = 0; i < providers->n; i++) {
		size_t at = texts->len, subject;

		subject_stream(&name, providers->entry[i].name);
		buf_clear(&token);
		subject_add_token(&token, providers->entry[i].name, strlen(providers->entry[i].name));
		buf_add(texts, buf_str(&name), name.len + 1);
		subject = texts->len;
		buf_printf(texts, "%s.%s.>", prefix, buf_str(&token));
		buf_add_char(texts, '\0');
		bus_config_stream(&config->top.bus.stream, &streams[i]);
		streams[i].name = texts->data + at;
		streams[i].subjects[0] = texts->data + subject;
	}
	buf_free(&name);
	buf_free(&token);
	return streams;
}

static int
run(const struct options *o, const struct router_config *config, const struct router_entry *entry)
{
	struct stream_config replay = { .name = "VCREPLAY", .subjects = { "vcreplay.>" },
		.description = "events to send again to one dispatcher" };
	struct stream_config dead = { .name = "VCDEAD", .subjects = { "vcdead.>" }, .description = "dead letters" };
	struct dispatcher_config dc = { .name = entry->name, .prefix = config->top.bus.subject_prefix,
		.n_streams = config->providers.n, .dead_stream = &dead, .replay_stream = &replay, .options = &o->common,
		.processor = o->processor.processor, .processor_config = o->processor.config };
	struct stream_config *streams;
	struct bus_options bo;
	struct bus *bus = NULL;
	struct buf texts, inbox;
	struct err err;
	int failed;

	stats_init(false, entry->name, processor_options_address(entry, &o->processor));
	buf_init(&texts, 64 * 1024);
	buf_init(&inbox, 1024);
	streams = streams_of(config, &texts);
	dc.streams = streams;
	bus_config_stream(&config->top.bus.dead_letters, &dead);
	bus_config_stream(&config->top.bus.dead_letters, &replay);
	replay.discard_new = true;
	dead.discard_new = true; /* when it is full deliveries pause: nothing is given up without a trace */
	bus_config_options(&config->top.bus, "dispatcher", entry->name, &inbox, &bo);
	failed = bus_open(&bus, &bo, &err);
	if (!failed)
		failed = dispatcher_run(&dc, bus, &err);
	if (failed)
		log_error("stopped", L_ERR(&err));
	free(streams);
	buf_free(&texts);
	buf_free(&inbox);
	return failed ? EXIT_RUNTIME : 0;
}

int
main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.component = "dispatcher",
		.about = "Delivers vCenter events from NATS JetStream to one backend.",
		.provider = false,
		.options_size = sizeof(struct options),
		.bind = bind_options,
		.release = release_options,
		.help = help,
	};
	struct daemon *daemon;
	int code = daemon_open(&daemon, &spec, argc, argv);

	if (code >= 0)
		return code;
	do
		code = run(daemon_options(daemon), daemon_config(daemon), daemon_entry(daemon));
	while (daemon_again(daemon, code));
	daemon_close(daemon);
	return code;
}

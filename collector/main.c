// SPDX-License-Identifier: Apache-2.0
/* vcourier-collector: reads the events of one vCenter and publishes them to its stream. */
#include "collect.h"
#include "daemon.h"
#include "log.h"
#include "stats.h"
#include "subject.h"
#include "vcenter_source.h"

static void
fill_source(struct vcenter_source_options *o, const struct vcenter_options *v,
	const struct router_entry *entry, const struct bus_config *bus)
{
	*o = (struct vcenter_source_options){ .name = entry->name,
		.subject_prefix = bus->subject_prefix,
		.start = v->start,
		.start_value = v->start_value,
		.overlap_ms = v->overlap_ms,
		.audit_interval_ms = v->audit_interval_ms,
		.empty_grace_ms = v->empty_grace_ms,
		.poll_min_ms = v->poll_min_ms,
		.poll_max_ms = v->poll_max_ms };
	o->vim = (struct vim_options){ .url = v->address,
		.user = v->user,
		.password = &v->password,
		.timeout_ms = v->timeout_ms,
		.page_size = (int)v->page_size,
		.limits = { .page_max = (size_t)v->page_max_bytes,
			.event_max = (size_t)v->event_max_bytes } };
	vcenter_options_peer(v, &o->vim.peer);
}

static void
fill(struct collect_options *o, const struct vcenter_options *v,
	const struct router_entry *entry, const struct bus_config *bus)
{
	*o = (struct collect_options){ .name = entry->name,
		.address = v->address,
		.source = &vcenter_source,
		.overlap_ms = v->overlap_ms,
		.audit_span_ms = v->audit_window_ms,
		.window = (int)v->in_flight,
		.lease = v->standby };
	bus_config_stream(&bus->stream, &o->stream);
	/* its last message is the position */
	o->stream.deny_delete = o->stream.deny_purge = true;
}

static int
run(const struct router_config *config, const struct router_entry *entry,
	const struct vcenter_options *vcenter)
{
	struct buf stream, subjects, texts;
	struct vcenter_source_options source;
	struct collect_options options;
	struct bus_options bus_options;
	struct http *http = NULL;
	struct bus *bus = NULL;
	struct err err;
	int code = EXIT_RUNTIME;

	stats_init(true, entry->name, vcenter->address);
	buf_init(&stream, CONFIG_FILE_MAX);
	buf_init(&subjects, CONFIG_FILE_MAX);
	buf_init(&texts, CONFIG_FILE_MAX);
	fill_source(&source, vcenter, entry, &config->top.bus);
	fill(&options, vcenter, entry, &config->top.bus);
	options.source_options = &source;
	subject_stream(&stream, entry->name);
	buf_printf(&subjects, "%s.", source.subject_prefix);
	subject_add_token(&subjects, entry->name, strlen(entry->name));
	buf_add_str(&subjects, ".>");
	options.stream.name = buf_str(&stream);
	options.stream.subjects[0] = buf_str(&subjects);
	bus_config_options(&config->top.bus, "collector", entry->name, &texts, &bus_options);
	log_info("collector starts", L_STR("vcenter", vcenter->address),
		L_STR("stream", buf_str(&stream)), L_STR("nats", bus_options.urls[0]),
		L_STR("version", VCOURIER_VERSION));
	if (http_open(&http, &err) == 0 && bus_open(&bus, &bus_options, &err) == 0 &&
		collect_run(bus, http, &options, &err) == 0)
		code = 0;
	else
		log_error("collector cannot run", L_ERR(&err));
	http_close(http);
	buf_free(&stream);
	buf_free(&subjects);
	buf_free(&texts);
	return code;
}

int
main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.component = "collector",
		.about =
			"Reads the events of one vCenter and publishes them as CloudEvents to NATS JetStream.",
		.provider = true,
		.options_size = sizeof(struct vcenter_options),
		.bind = vcenter_options_bind,
		.release = vcenter_options_release,
		.help = vcenter_options_help,
	};
	struct daemon *daemon;
	int code = daemon_open(&daemon, &spec, argc, argv);

	if (code != EXIT_NOT_YET)
		return code;
	do
		code = run(daemon_config(daemon), daemon_entry(daemon), daemon_options(daemon));
	while (daemon_again(daemon, code));
	daemon_close(daemon);
	return code;
}

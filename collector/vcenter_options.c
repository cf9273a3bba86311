// SPDX-License-Identifier: Apache-2.0
#include "vcenter_options.h"

#include <stdlib.h>

#include "source.h"
#include "vcenter_address.h"
#include "vim.h"

#define MIB (INT64_C(1024) * 1024)

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
};

static int custom_address(
	const struct config_node *node, void *field, struct config_errors *errors);

static const char *const auth_types[] = { "basic_auth", NULL };

#define AT(member) .offset = offsetof(struct vcenter_options, member)

static const struct config_field basic_fields[] = {
	{ "username", CONFIG_STRING, AT(user), CONFIG_REQUIRED,
		.help = "User name, such as `ro@vsphere.local`." },
	{ "password", CONFIG_SECRET, AT(password), CONFIG_REQUIRED,
		.help = "Password. The file is read at each login." },
	{ NULL },
};

static const struct config_field auth_fields[] = {
	{ "type", CONFIG_ENUM, AT(auth_type), .def = "basic_auth", .choices = auth_types,
		.help = "The only type of authentication." },
	{ "basicAuth", CONFIG_OBJECT, .flags = CONFIG_REQUIRED, .fields = basic_fields,
		.help = "A read-only account on the root folder, with propagation." },
	{ NULL },
};

const struct config_field vcenter_fields[] = {
	{ "address", CONFIG_CUSTOM, AT(address), CONFIG_REQUIRED, .custom = custom_address,
		.help = "The vCenter: a host name or URL. Missing `https://` and `/sdk` are added." },
	SOURCE_SERVER_INSECURE_ROW(struct vcenter_options, server),
	{ "checkpoint", CONFIG_BOOL, .flags = CONFIG_IGNORED,
		.help = "the stream itself is the checkpoint, and always on." },
	{ "checkpointDir", CONFIG_STRING, .flags = CONFIG_IGNORED,
		.help = "the stream itself is the checkpoint, no file is written." },
	{ "auth", CONFIG_OBJECT, .flags = CONFIG_REQUIRED, .fields = auth_fields,
		.help = "How to log in." },
	SOURCE_SERVER_ROWS(struct vcenter_options, server),
	{ "startFrom", CONFIG_STRING, AT(start_from), .def = "now",
		.help = "Where to start when the stream does not exist yet: `now`, `earliest` (all "
			"events that vCenter has), a time such as `2026-01-31T00:00:00Z`, or a "
			"duration before now such as `24h`." },
	{ "timeout", CONFIG_DURATION, AT(timeout_ms), .def = "60s", .min = SECOND, .max = HOUR,
		.help = "Time limit of a call." },
	{ "pollMin", CONFIG_DURATION, AT(poll_min_ms), .def = "52ms", .min = 1, .max = MINUTE,
		.help = "Pause between two read calls after new events. While events keep coming, "
			"vCenter answers one call in this time: see `docs/scale.md` for calls and "
			"latency at several values." },
	{ "pollMax", CONFIG_DURATION, AT(poll_max_ms), .def = "1s", .min = 10,
		.max = 5 * MINUTE,
		.help = "Longest pause between two read calls. Each call without a new event doubles "
			"the pause, from `pollMin` to this. A vCenter without events answers one call in "
			"this time, and about 11 other calls a minute." },
	{ "pageSize", CONFIG_INT, AT(page_size), .def = "1000", .min = 1, .max = 1000,
		.help = "Events for each read call. vCenter's own limit is 1000." },
	{ "overlap", CONFIG_DURATION, AT(overlap_ms), .def = "60s", .min = 0, .max = 24 * HOUR,
		.help = "How far back reading starts after an interruption, for events that vCenter "
			"stored late." },
	{ "auditWindow", CONFIG_DURATION, AT(audit_window_ms), .def = "10m", .min = 0,
		.max = 24 * HOUR,
		.help = "How far back the audit searches for missed events. `0` turns it off." },
	{ "auditInterval", CONFIG_DURATION, AT(audit_interval_ms), .def = "60s", .min = SECOND,
		.max = 24 * HOUR,
		.help = "Interval of the audit, and of the check whether the account can still see all "
			"events." },
	{ "emptyGrace", CONFIG_DURATION, AT(empty_grace_ms), .def = "30s", .max = HOUR,
		.help = "How long the collector waits with reading after a start while vCenter returns "
			"no event descriptions, because the severity in the subject would be `info` "
			"without them. Also how long vCenter must report that a missing privilege is "
			"granted before the hidden events are read." },
	{ "inFlight", CONFIG_INT, AT(in_flight), .def = "512", .min = 1, .max = 4096,
		.help = "Largest number of published events without an acknowledgement of NATS. A "
			"larger number makes a backlog faster and needs more memory." },
	{ "pageMaxBytes", CONFIG_SIZE, AT(page_max_bytes), .def = "32MiB", .min = MIB,
		.max = 1024 * MIB,
		.help = "A larger reply is requested again in smaller pages; a larger event is "
			"stored as a stub." },
	{ "eventMaxBytes", CONFIG_SIZE, AT(event_max_bytes), .def = "64MiB", .min = 64 * 1024,
		.max = 1024 * MIB,
		.help = "A larger event is trimmed. The limit of NATS (`max_payload`, 1 MiB by "
			"default) applies too." },
	{ "standby", CONFIG_BOOL, AT(standby), .def = "false",
		.help = "Allows several collectors for this vCenter: one reads, the others wait to "
			"take over." },
	{ NULL },
};

/* The path /sdk is added to a URL that has none. */
static int
custom_address(const struct config_node *node, void *field, struct config_errors *errors)
{
	char **address = field;
	struct buf url;

	if (source_options_address(node, field, errors) != 0)
		return -1;
	buf_init(&url, CONFIG_FILE_MAX);
	vcenter_address_complete(*address, &url);
	free(*address);
	*address = buf_take(&url, NULL);
	return 0;
}

int
vcenter_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors)
{
	struct vcenter_options *o = options;
	size_t before = errors->n;

	config_bind(block, vcenter_fields, o, sizeof(*o), errors);
	vcenter_address_check(config, block, errors);
	source_options_start(block, o->start_from, &o->start, errors);
	source_server_bind(config, block, &o->server, errors);
	if (o->poll_min_ms > o->poll_max_ms)
		config_error(errors, block, "pollMin must not exceed pollMax");
	return errors->n == before ? 0 : -1;
}

void
vcenter_options_release(void *options)
{
	struct vcenter_options *o = options;

	config_release(vcenter_fields, o);
	source_server_release(&o->server);
}

void
vcenter_options_vim(const struct vcenter_options *o, struct vim_options *vim)
{
	*vim = (struct vim_options){ .url = o->address,
		.user = o->user,
		.password = &o->password,
		.timeout_ms = o->timeout_ms,
		.page_size = (int)o->page_size,
		.limits = { .page_max = (size_t)o->page_max_bytes,
			.event_max = (size_t)o->event_max_bytes } };
	source_server_peer(&o->server, &vim->peer);
}

void
vcenter_options_settings(const void *options, struct source_settings *s)
{
	const struct vcenter_options *o = options;

	*s = (struct source_settings){ .address = o->address,
		.overlap_ms = o->overlap_ms,
		.audit_span_ms = o->audit_window_ms,
		.window = (int)o->in_flight,
		.lease = o->standby };
}

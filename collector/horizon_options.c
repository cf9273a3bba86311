// SPDX-License-Identifier: Apache-2.0
#include "horizon_options.h"

#include <stdlib.h>
#include <string.h>

#define MIB (INT64_C(1024) * 1024)

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static int custom_address(
	const struct config_node *node, void *field, struct config_errors *errors);

static const char *const auth_types[] = { "active_directory", NULL };

#define AT(member) .offset = offsetof(struct horizon_options, member)

static const struct config_field directory_fields[] = {
	{ "domain", CONFIG_STRING, AT(domain), CONFIG_REQUIRED,
		.help = "The Active Directory domain of the user, such as `corp`." },
	{ "username", CONFIG_STRING, AT(user), CONFIG_REQUIRED,
		.help = "User name without the domain: neither `user@domain` nor `domain\\user`." },
	{ "password", CONFIG_SECRET, AT(password), CONFIG_REQUIRED,
		.help = "Password. The file is read at each login." },
	{ NULL },
};

static const struct config_field auth_fields[] = {
	{ "type", CONFIG_ENUM, AT(auth_type), .def = "active_directory", .choices = auth_types,
		.help = "The only type of authentication." },
	{ "activeDirectoryAuth", CONFIG_OBJECT, .flags = CONFIG_REQUIRED,
		.fields = directory_fields,
		.help = "An account with a role that may read events: `Administrators (Read only)`." },
	{ NULL },
};

const struct config_field horizon_fields[] = {
	{ "address", CONFIG_CUSTOM, AT(address), CONFIG_REQUIRED, .custom = custom_address,
		.help = "A Horizon Connection Server, or the load balancer before several: a host "
			"name or URL without a path. A missing `https://` is added." },
	SOURCE_SERVER_INSECURE_ROW(struct horizon_options, server),
	{ "auth", CONFIG_OBJECT, .flags = CONFIG_REQUIRED, .fields = auth_fields,
		.help = "How to log in." },
	SOURCE_SERVER_ROWS(struct horizon_options, server),
	{ "startFrom", CONFIG_STRING, AT(start_from), .def = "now",
		.help = "Where to start when the stream does not exist yet: `now`, `earliest` (all "
			"events that Horizon has), a time such as `2026-01-31T00:00:00Z`, or a "
			"duration before now such as `24h`." },
	{ "timeout", CONFIG_DURATION, AT(timeout_ms), .def = "60s", .min = SECOND, .max = HOUR,
		.help = "Time limit of a call." },
	{ "pollInterval", CONFIG_DURATION, AT(poll_ms), .def = "1s", .min = 50,
		.max = 5 * MINUTE,
		.help = "Pause between two calls when no more events wait." },
	{ "pageSize", CONFIG_INT, AT(page_size), .def = "1000", .min = 1, .max = 1000,
		.help = "Events for each call. Horizon's own limit is 1000." },
	{ "overlap", CONFIG_DURATION, AT(overlap_ms), .def = "60s", .min = 0, .max = 24 * HOUR,
		.help = "How far before the newest event each call begins, for events that Horizon "
			"stored late. Events that are stored already are left out." },
	{ "auditWindow", CONFIG_DURATION, AT(audit_window_ms), .def = "10m", .min = 0,
		.max = 24 * HOUR,
		.help = "How far back missed events are searched for at each `auditInterval`. `0` "
			"turns it off." },
	{ "auditInterval", CONFIG_DURATION, AT(audit_interval_ms), .def = "60s", .min = SECOND,
		.max = 24 * HOUR, .help = "Interval of that search." },
	{ "inFlight", CONFIG_INT, AT(in_flight), .def = "512", .min = 1, .max = 4096,
		.help = "Largest number of published events without an acknowledgement of NATS." },
	{ "pageMaxBytes", CONFIG_SIZE, AT(page_max_bytes), .def = "16MiB", .min = 64 * 1024,
		.max = 256 * MIB,
		.help = "A larger reply is requested again in smaller pages; an event that alone is "
			"larger is left out and counted." },
	{ "standby", CONFIG_BOOL, AT(standby), .def = "false",
		.help = "Allows several collectors for this Horizon: one reads, the others wait to "
			"take over." },
	{ NULL },
};

static int
custom_address(const struct config_node *node, void *field, struct config_errors *errors)
{
	char **address = field;
	const char *path;

	if (source_options_address(node, field, errors) != 0)
		return -1;
	path = strchr(strstr(*address, "://") + 3, '/');
	if (path == NULL || path[1] == '\0')
		return 0;
	config_error(errors, node, "must have no path: /rest is added");
	free(*address);
	*address = NULL;
	return -1;
}

int
horizon_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors)
{
	struct horizon_options *o = options;
	const struct config_node *login;
	size_t before = errors->n;

	config_bind(block, horizon_fields, o, sizeof(*o), errors);
	source_options_start(block, o->start_from, &o->start, errors);
	source_server_bind(config, block, &o->server, errors);
	login = config_get(config_get(block, "auth"), "activeDirectoryAuth");
	if (o->user != NULL && strpbrk(o->user, "@\\") != NULL)
		config_error(errors, config_get(login, "username"),
			"must be the name alone: the domain is an option of its own");
	return errors->n == before ? 0 : -1;
}

void
horizon_options_release(void *options)
{
	struct horizon_options *o = options;

	config_release(horizon_fields, o);
	source_server_release(&o->server);
}

void
horizon_options_settings(const void *options, struct source_settings *s)
{
	const struct horizon_options *o = options;

	*s = (struct source_settings){ .address = o->address,
		.overlap_ms = o->overlap_ms,
		.audit_span_ms = o->audit_window_ms,
		.window = (int)o->in_flight,
		.lease = o->standby };
}

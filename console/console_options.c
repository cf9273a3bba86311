// SPDX-License-Identifier: Apache-2.0
#include "console_options.h"

#include <stddef.h>
#include <string.h>

#include "text.h"

#define AT(member) .offset = offsetof(struct console_options, member)

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "logfmt", "json", NULL };
static const char *const roles[] = { "none", "viewer", NULL };

static const struct config_field tls_fields[] = {
	{ "certFile", CONFIG_STRING, AT(tls.cert_file), CONFIG_REQUIRED | CONFIG_FILE,
		.help = "PEM file with the certificate and its chain." },
	{ "keyFile", CONFIG_STRING, AT(tls.key_file), CONFIG_REQUIRED | CONFIG_FILE,
		.help = "PEM file with its private key." },
	{ NULL },
};

static const struct config_field proxy_fields[] = {
	{ "userHeader", CONFIG_STRING, AT(proxy.header), CONFIG_REQUIRED,
		.help = "The header in which the proxy names the user, for example "
			"`X-Remote-User`." },
	{ "from", CONFIG_STRINGS, AT(proxy.from), CONFIG_REQUIRED,
		.help = "IP addresses of the proxy. From any other address the header counts "
			"for nothing." },
	{ "role", CONFIG_ENUM, AT(proxy.role), .def = "none", .choices = roles,
		.help = "The role of a user who is not in the users file." },
	{ NULL },
};

static const struct config_field operator_fields[] = {
	{ "user", CONFIG_STRING, AT(operator.user), .help = "The NATS user." },
	{ "password", CONFIG_SECRET, AT(operator.password), .help = "Its password." },
	{ "credentialsFile", CONFIG_STRING, AT(operator.credentials_file), CONFIG_FILE,
		.help = "Its `.creds` file, in place of user and password." },
	{ NULL },
};

static const struct config_field console_log_fields[] = {
	{ "level", CONFIG_ENUM, AT(log.level), .def = "info", .choices = levels,
		.help = "The lowest level that is logged." },
	{ "format", CONFIG_ENUM, AT(log.format), .def = "logfmt", .choices = formats,
		.help = "The format of a line." },
	{ NULL },
};

const struct config_field console_fields[] = {
	{ "bus", CONFIG_OBJECT, AT(bus), .fields = bus_fields,
		.help = "NATS, as in the daemons' file; `bus.user` is `console`." },
	{ "listen", CONFIG_STRING, AT(listen), CONFIG_BIND, .def = "127.0.0.1:8090",
		.help = "Where the page is served." },
	{ "hosts", CONFIG_STRINGS, AT(hosts),
		.help = "Names under which browsers reach the console, without a port. A request "
			"for another name is refused. Loopback names always work. Required when "
			"`listen` is not a loopback address." },
	{ "usersFile", CONFIG_STRING, AT(users_file), CONFIG_FILE,
		.help = "The users: one `name:role:hash` a line; role `viewer` or `operator`, hash "
			"as `vcourier-console --hash` prints it. It is read at each login." },
	{ "sessionLifetime", CONFIG_DURATION, AT(session_ms), .def = "8h", .min = 60000,
		.max = INT64_C(7) * 24 * 3600 * 1000, .help = "How long a login lasts." },
	{ "tls", CONFIG_OBJECT, .fields = tls_fields,
		.help = "HTTPS. Changed files are used within seconds." },
	{ "proxy", CONFIG_OBJECT, .fields = proxy_fields,
		.help = "A proxy in front of the console that has authenticated the user." },
	{ "operator", CONFIG_OBJECT, .fields = operator_fields,
		.help = "A second NATS user, used only when a user with the role operator redrives, "
			"drops or replays: `console-operator`. Absent: that of `bus`." },
	{ "metrics", CONFIG_STRING, AT(metrics), CONFIG_BIND, .def = "127.0.0.1:8091",
		.help = "Where `/metrics`, `/livez` and `/readyz` are served." },
	{ "docsUrl", CONFIG_STRING, AT(docs_url), CONFIG_URL,
		.help = "Where you publish the folder docs; the links to the runbooks of faults then "
			"lead there. Absent: the page shows the runbooks itself." },
	{ "log", CONFIG_OBJECT, .fields = console_log_fields,
		.help = "The log, on standard error; flags have precedence." },
	{ NULL },
};

static bool
is_loopback_bind(const char *bind)
{
	return text_starts(bind, "127.") || text_starts(bind, "localhost:") ||
		text_starts(bind, "[::1]:");
}

/* The second NATS user: a user with a password, or a credentials file. */
static void
check_operator(const struct config_node *node, const struct console_options *o,
	struct config_errors *errors)
{
	bool password = secret_is_set(&o->operator.password);

	if (node == NULL)
		return;
	if (o->operator.credentials_file != NULL &&(o->operator.user != NULL || password))
		config_error(errors, node, "user and credentialsFile exclude each other");
	else if (o->operator.credentials_file == NULL &&(o->operator.user == NULL || !password))
		config_error(errors, node,
			"a user with its password, or credentialsFile, is required");
}

static void
check(const struct config_node *root, const struct console_options *o,
	struct config_errors *errors)
{
	if (o->users_file == NULL && o->proxy.header == NULL)
		config_error(
			errors, root, "usersFile or proxy is required: nobody could log in");
	if (o->listen != NULL && !is_loopback_bind(o->listen) &&
		(o->hosts == NULL || o->hosts[0] == NULL))
		config_error(errors, root,
			"hosts is required, because listen is not a loopback address");
	if (o->listen != NULL && !is_loopback_bind(o->listen) && o->tls.cert_file == NULL &&
		o->proxy.header == NULL)
		config_warning(errors, root,
			"passwords and events go over the network in the clear; set tls");
	if (o->proxy.header != NULL &&
		(o->proxy.header[0] == '\0' ||
			strspn(o->proxy.header,
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") !=
				strlen(o->proxy.header)))
		config_error(errors, config_get(config_get(root, "proxy"), "userHeader"),
			"must be the name of a header");
	check_operator(config_get(root, "operator"), o, errors);
	bus_config_check(config_get(root, "bus"), &o->bus, errors);
}

int
console_options_load(
	const char *path, struct console_options *out, struct config_errors *errors)
{
	size_t before = errors->n;
	struct config *file;

	memset(out, 0, sizeof(*out));
	if (config_load(&file, path, errors) != 0)
		return -1;
	if (config_bind(config_root(file), console_fields, out, sizeof(*out), errors) == 0)
		check(config_root(file), out, errors);
	config_free(file);
	return errors->n == before ? 0 : -1;
}

void
console_options_release(struct console_options *options)
{
	config_release(console_fields, options);
}

// SPDX-License-Identifier: Apache-2.0
#include "webhook_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"
#include "webhook_wrap.h"

#define MIB (INT64_C(1024) * 1024)

enum { SECOND = 1000, MINUTE = 60 * SECOND, PATHS_MAX = 100 };

static int custom_path(
	const struct config_node *node, void *field, struct config_errors *errors);
static int custom_value(
	const struct config_node *node, void *field, struct config_errors *errors);

static const char *const auth_types[] = { "basic_auth", "bearer", NULL };

/* The rows of a path have their places in struct webhook_path, which begins the options. */
#define AT(member) .offset = offsetof(struct webhook_path, member)

static const struct config_field basic_fields[] = {
	{ "username", CONFIG_STRING, AT(user), CONFIG_REQUIRED, .help = "User name." },
	{ "password", CONFIG_SECRET, AT(password), CONFIG_REQUIRED, .help = "Password." },
	{ NULL },
};

static const struct config_field bearer_fields[] = {
	{ "token", CONFIG_SECRET, AT(token), CONFIG_REQUIRED,
		.help = "The token, as the header `Authorization: Bearer` has it." },
	{ NULL },
};

static const struct config_field auth_fields[] = {
	{ "type", CONFIG_ENUM, AT(auth), .def = "basic_auth", .choices = auth_types,
		.help = "How senders authenticate; the block for the type is required." },
	{ "basicAuth", CONFIG_OBJECT, .fields = basic_fields, .help = "User and password." },
	{ "bearer", CONFIG_OBJECT, .fields = bearer_fields, .help = "A bearer token." },
	{ NULL },
};

static const struct config_field wrap_fields[] = {
	{ "source", CONFIG_CUSTOM, AT(wrap.source), CONFIG_REQUIRED, .custom = custom_value,
		.help = "The attribute `source`. Here and in the next options: a fixed text; "
			"`$.alert.name` or the JSON pointer `$/alert/name` for a member of the "
			"body; or `header:NAME` for a header of the request." },
	{ "type", CONFIG_CUSTOM, AT(wrap.type), CONFIG_REQUIRED, .custom = custom_value,
		.help = "The attribute `type`." },
	{ "subject", CONFIG_CUSTOM, AT(wrap.subject), .custom = custom_value,
		.help = "The attribute `subject`; left out when the body does not have it." },
	{ "id", CONFIG_CUSTOM, AT(wrap.id), .custom = custom_value,
		.help = "The attribute `id`, by which a repeated request is recognised. Without "
			"this option each request is a new event." },
	{ "time", CONFIG_CUSTOM, AT(wrap.time), .custom = custom_value,
		.help = "The attribute `time`, in RFC 3339; else it is the time of arrival." },
	{ NULL },
};

/* clang-format 14 and 19 differ */
/* clang-format off */
#define PATH_ROWS(path_help) \
	{ "path", CONFIG_CUSTOM, AT(path), .custom = custom_path, .help = (path_help) }, \
		{ "auth", CONFIG_OBJECT, .fields = auth_fields, \
			.help = "Who may send. Without it everybody may, and a warning says so." }, \
		{ "maxBytes", CONFIG_SIZE, AT(max_bytes), .def = "1MiB", .min = 1024, \
			.max = 64 * MIB, \
			.help = "Largest body of a request; a larger one is answered with 413. " \
				"The limit of NATS (`max_payload`, 1 MiB by default) applies to each " \
				"event." }, \
		{ "allowedTypes", CONFIG_STRINGS, AT(allowed_types), \
			.help = "The types of events that are accepted; `*` at the end matches any " \
				"text. All, when it is not given." }, \
	{ \
		"wrap", CONFIG_OBJECT, \
			.fields = wrap_fields, \
			.help = "Accepts plain JSON, which becomes the data of an event with " \
				"these attributes." \
	}
/* clang-format on */

static const struct config_field path_fields[] = {
	PATH_ROWS(
		"The path, such as `nsx`. Slashes around it do not count; it is served in lower "
		"case, as `/nsx`."),
	{ "name", CONFIG_STRING, AT(name),
		.help = "Name of the path in metrics; the path itself when it is not given." },
	{ NULL },
};

#undef AT
#define AT(member) .offset = offsetof(struct webhook_options, member)

const struct config_field webhook_fields[] = {
	{ "bindAddress", CONFIG_STRING, AT(bind), CONFIG_REQUIRED | CONFIG_BIND,
		.help = "Where to listen: IP address and port, such as `0.0.0.0:8080`." },
#undef AT
#define AT(member) .offset = offsetof(struct webhook_path, member)
	PATH_ROWS(
		"The path; `webhook` when neither it nor `paths` is given. Slashes around it do "
		"not count; it is served in lower case, as `/webhook`."),
#undef AT
#define AT(member) .offset = offsetof(struct webhook_options, member)
	{ "paths", CONFIG_OBJECTS, AT(paths), .fields = path_fields,
		.item_size = sizeof(struct webhook_path),
		.help = "More paths, each with its own options." },
	{ "certFile", CONFIG_STRING, AT(cert_file), CONFIG_FILE,
		.help = "PEM file of the server certificate and its chain: the webhook is then served "
			"over TLS. Changed files are used within seconds." },
	{ "keyFile", CONFIG_STRING, AT(key_file), CONFIG_FILE,
		.help = "PEM file of its private key." },
	{ "timeout", CONFIG_DURATION, AT(timeout_ms), .def = "30s", .min = SECOND,
		.max = 10 * MINUTE,
		.help = "Within this time a request must have arrived; also how long a connection "
			"may stay unused." },
	{ "maxConnections", CONFIG_INT, AT(max_connections), .def = "256", .min = 4,
		.max = 10000,
		.help = "Open connections at most. Above it the one that has waited longest is "
			"closed." },
	{ "inFlight", CONFIG_INT, AT(in_flight), .def = "512", .min = 1, .max = 4096,
		.help = "Largest number of published events without an acknowledgement of NATS." },
	{ NULL },
};

/*
 * The event router's rules: slashes around it do not count, lower case, empty is `webhook`; of
 * slashes alone is refused.
 */
static int
custom_path(const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node), *end;
	struct buf path;

	if (text == NULL || text[0] == '\0')
		text = "webhook";
	for (end = text + strlen(text); end > text && end[-1] == '/'; end--)
		;
	while (text < end && *text == '/')
		text++;
	if (text == end || text_has_control(text, (size_t)(end - text)) ||
		memchr(text, '?', (size_t)(end - text)) != NULL ||
		memchr(text, '#', (size_t)(end - text)) != NULL) {
		config_error(errors, node,
			"must be the path of a URL such as webhook, without ? and #, and not / alone");
		return -1;
	}
	buf_init(&path, CONFIG_FILE_MAX + 1);
	buf_add_char(&path, '/');
	for (; text < end; text++)
		buf_add_char(&path, (char)tolower((unsigned char)*text));
	*(char **)field = buf_take(&path, NULL);
	return 0;
}

static int
custom_value(const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node);
	struct err err;

	if (text == NULL) {
		config_error(errors, node, "must be a text");
		return -1;
	}
	if (webhook_wrap_check(text, &err) != 0) {
		config_error(errors, node, "%s", err.text);
		return -1;
	}
	*(char **)field = mem_strdup(text);
	return 0;
}

const struct webhook_path *
webhook_options_path(const struct webhook_options *o, size_t i)
{
	if (o->own.path != NULL && i-- == 0)
		return &o->own;
	return i < o->paths.n ? (const struct webhook_path *)o->paths.items + i : NULL;
}

/* A block for a type of authentication that is not the chosen one, or none for it. */
static void
check_auth(const struct webhook_path *p, const struct config_node *block,
	struct config_errors *errors)
{
	const struct config_node *auth = config_get(block, "auth");
	bool basic = config_get(auth, "basicAuth") != NULL,
	     bearer = config_get(auth, "bearer") != NULL;

	if (auth == NULL) {
		config_warning(errors, block,
			"%s accepts events from everybody who can reach it: set auth", p->path);
		return;
	}
	if (p->auth == WEBHOOK_AUTH_BASIC && !basic)
		config_error(errors, auth, "type basic_auth needs the block basicAuth");
	if (p->auth == WEBHOOK_AUTH_BEARER && !bearer)
		config_error(errors, auth, "type bearer needs the block bearer");
	if (basic && bearer)
		config_error(errors, auth, "basicAuth and bearer exclude each other");
}

static void
check_path(const struct webhook_options *o, const struct webhook_path *p,
	const struct config_node *block, struct config_errors *errors)
{
	const struct webhook_path *other;

	if (p->path == NULL) /* reported already */
		return;
	check_auth(p, block, errors);
	for (size_t i = 0; (other = webhook_options_path(o, i)) != NULL && other != p; i++) {
		if (strcmp(other->path, p->path) == 0)
			config_error(errors, block, "the path %s is given twice", p->path);
		if (strcmp(other->name, p->name) == 0)
			config_error(errors, block, "the name %s is given twice", p->name);
	}
}

/* What a row cannot say: the path's default, and its name. */
static void
complete(struct webhook_path *p)
{
	if (p->name == NULL && p->path != NULL)
		p->name = mem_strdup(p->path + 1);
}

int
webhook_options_bind(const struct router_config *config, const struct config_node *block,
	void *options, struct config_errors *errors)
{
	struct webhook_options *o = options;
	struct webhook_path *paths;
	size_t before = errors->n;

	(void)config;
	config_bind(block, webhook_fields, o, sizeof(*o), errors);
	paths = o->paths.items;
	if (o->own.path == NULL && o->paths.n == 0)
		o->own.path = mem_strdup("/webhook");
	if (errors->n != before)
		return -1;
	if (o->paths.n > PATHS_MAX) {
		config_error(
			errors, config_get(block, "paths"), "more than %d paths", PATHS_MAX);
		return -1;
	}
	complete(&o->own);
	for (size_t i = 0; i < o->paths.n; i++) {
		const struct config_node *item = config_item(config_get(block, "paths"), i);

		if (paths[i].path == NULL)
			config_error(errors, item, "path is missing");
		complete(&paths[i]);
	}
	if (errors->n != before)
		return -1;
	if (o->own.path != NULL)
		check_path(o, &o->own, block, errors);
	for (size_t i = 0; i < o->paths.n; i++)
		check_path(o, &paths[i], config_item(config_get(block, "paths"), i), errors);
	if ((o->cert_file == NULL) != (o->key_file == NULL))
		config_error(errors, block, "certFile and keyFile belong together");
	if (o->cert_file == NULL && !text_starts(o->bind, "127.") &&
		!text_starts(o->bind, "localhost:") && !text_starts(o->bind, "[::1]:"))
		config_warning(errors, config_get(block, "bindAddress"),
			"without certFile and keyFile events and passwords arrive in the clear");
	return errors->n == before ? 0 : -1;
}

void
webhook_options_release(void *options)
{
	struct webhook_options *o = options;

	free(o->own.name);
	config_release(webhook_fields, o);
	o->own.name = NULL;
}

void
webhook_options_settings(const void *options, struct source_settings *s)
{
	const struct webhook_options *o = options;

	*s = (struct source_settings){ .address = o->bind, .window = (int)o->in_flight };
}

// SPDX-License-Identifier: Apache-2.0
#include "bus_options.h"

#include <string.h>

#include "http.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

enum {
	PREFIX_MAX = 64
}; /* it is a part of every subject; other buffers have room for this length */

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static const char *const when_full[] = { "dropOldest", "pause", NULL };

static const char *const compressions[] = { "none", "s2", NULL };

static const struct config_field placement_fields[] = {
	{ "cluster", CONFIG_STRING, offsetof(struct bus_placement, cluster),
		.help = "Name of a cluster of NATS. Default: the one that the program is connected to." },
	{ "tags", CONFIG_STRINGS, offsetof(struct bus_placement, tags),
		.help = "The stream is on servers that have all of these `server_tags`." },
	{ NULL },
};

#define AT(member) .offset = offsetof(struct bus_stream_options, member)

/* clang-format 14 and 19 differ */
/* clang-format off */
#define STORAGE_ROWS \
	{ "compression", CONFIG_ENUM, AT(compression), .def = "none", .choices = compressions, \
		.help = "`s2` compresses the stream on disk; needs nats-server 2.10." }, \
	{ \
		"placement", CONFIG_OBJECT, AT(placement), \
			.fields = placement_fields, \
			.help = "On which servers of NATS the stream is." \
	}
/* clang-format on */

static const struct config_field stream_fields[] = {
	{ "maxAge", CONFIG_DURATION, AT(max_age_ms), .def = "7d", .min = 60 * 1000,
		.max = 3650 * DAY_MS,
		.help = "How long an event stays in the stream, and so how far a replay can go "
			"back." },
	{ "maxBytes", CONFIG_SIZE, AT(max_bytes), .def = "8GiB", .min = 1024 * 1024,
		.max = INT64_C(1) << 50, .help = "How large the stream may grow on disk." },
	{ "replicas", CONFIG_INT, AT(replicas), .def = "1", .min = 1, .max = 5,
		.help = "Copies of the stream in a NATS cluster: 1, or 3 to survive the loss "
			"of a server." },
	{ "duplicateWindow", CONFIG_DURATION, AT(duplicate_window_ms), .def = "30m",
		.min = 1000, .max = DAY_MS,
		.help = "How long the server remembers message ids, to refuse a second copy." },
	{ "whenFull", CONFIG_ENUM, AT(when_full), .def = "dropOldest", .choices = when_full,
		.help = "At `maxBytes`: `dropOldest` makes room (an event that a dispatcher "
			"has not received yet is "
			"counted as expired); `pause` stops reading, and vCenter keeps the "
			"events." },
	STORAGE_ROWS,
	{ NULL },
};

static const struct config_field dead_letter_fields[] = {
	{ "maxAge", CONFIG_DURATION, AT(max_age_ms), .def = "30d", .min = 60 * 1000,
		.max = 3650 * DAY_MS, .help = "How long a dead letter is kept." },
	{ "maxBytes", CONFIG_SIZE, AT(max_bytes), .def = "1GiB", .min = 1024 * 1024,
		.max = INT64_C(1) << 50,
		.help = "How large the stream of dead letters may grow. When it is full, "
			"deliveries pause: no "
			"event is dropped without a dead letter." },
	{ "replicas", CONFIG_INT, AT(replicas), .def = "1", .min = 1, .max = 5,
		.help = "Copies in a NATS cluster." },
	{ "duplicateWindow", CONFIG_DURATION, AT(duplicate_window_ms), .def = "30m",
		.min = 1000, .max = DAY_MS,
		.help = "How long the server remembers message ids, to refuse a second copy." },
	STORAGE_ROWS,
	{ NULL },
};

#undef AT
#define AT(member) .offset = offsetof(struct bus_config, member)

const struct config_field bus_fields[] = {
	{ "urls", CONFIG_STRINGS, AT(urls), .def = "nats://127.0.0.1:4222",
		.help = "NATS servers, `nats://host:port` or `tls://host:port`; one is enough, "
			"it names the others of a "
			"cluster." },
	{ "user", CONFIG_STRING, AT(user), .help = "NATS user." },
	{ "password", CONFIG_SECRET, AT(password), .help = "Its password." },
	{ "token", CONFIG_SECRET, AT(token), .help = "Token, in place of user and password." },
	{ "credentialsFile", CONFIG_STRING, AT(credentials_file), CONFIG_FILE,
		.help = "A `.creds` file (JWT and nkey), in place of user and password. Needs "
			"libnats 3.8." },
	{ "caFile", CONFIG_STRING, AT(ca_file), CONFIG_FILE,
		.help = "PEM file of the CA certificates that verify the server, instead of "
			"the system's." },
	{ "certFile", CONFIG_STRING, AT(cert_file), CONFIG_FILE,
		.help = "PEM file of the client certificate." },
	{ "keyFile", CONFIG_STRING, AT(key_file), CONFIG_FILE,
		.help = "PEM file of the client certificate's private key." },
	{ "insecureSSL", CONFIG_BOOL, AT(insecure), CONFIG_INSECURE, .def = "false",
		.help = "Do not verify the server's certificate." },
	{ "subjectPrefix", CONFIG_STRING, AT(subject_prefix), .def = "vc",
		.help = "First token of the subjects of a vCenter's events; letters, digits, `-` and `_`." },
	{ "apiPrefix", CONFIG_STRING, AT(api_prefix), .def = "$JS.API",
		.help = "Prefix of requests to JetStream: `$JS.<domain>.API` for a JetStream domain, or the name under which "
			"this account imports the API of another." },
	{ "stream", CONFIG_OBJECT, AT(stream), .fields = stream_fields,
		.help = "Limits of the stream of each eventProvider. They apply when the stream is created; "
			"an existing one is "
			"never changed, its differences are reported." },
	{ "deadLetters", CONFIG_OBJECT, AT(dead_letters), .fields = dead_letter_fields,
		.help = "Limits of `" DEAD_STREAM
			"`, the stream of events that could not be delivered." },
	{ NULL },
};

/* The rules for host and port are those of http. */
static void
write_as_http(const char *bus_url, struct buf *out)
{
	buf_init(out, CONFIG_FILE_MAX);
	buf_printf(out, "http%s", strstr(bus_url, "://"));
}

static bool
has_valid_port(const char *bus_url)
{
	struct buf url, host;
	bool ok;

	write_as_http(bus_url, &url);
	buf_init(&host, CONFIG_FILE_MAX);
	ok = http_url_host(buf_str(&url), &host);
	buf_free(&host);
	buf_free(&url);
	return ok;
}

static bool
url_ok(const char *url)
{
	const char *host = text_starts(url, "nats://") ? url + 7
		: text_starts(url, "tls://")           ? url + 6
						       : NULL;

	return host != NULL && *host != '\0' && *host != ':' &&
		strpbrk(host, "@/ ,\"\\\r\n") == NULL && has_valid_port(url);
}

static bool
is_loopback(const char *bus_url)
{
	struct buf url;
	bool is;

	write_as_http(bus_url, &url);
	is = http_url_is_loopback(buf_str(&url));
	buf_free(&url);
	return is;
}

bool
bus_config_is_cleartext(const struct bus_config *config)
{
	const struct bus_options options = { .urls = config->urls,
		.ca_file = config->ca_file,
		.cert_file = config->cert_file,
		.insecure = config->insecure };

	if (config->urls == NULL || bus_uses_tls(&options))
		return false;
	for (size_t i = 0; config->urls[i] != NULL; i++)
		if (url_ok(config->urls[i]) && !is_loopback(config->urls[i]))
			return true;
	return false;
}

/* "$JS.hub.API": tokens, none of them empty. */
static bool
is_prefix(const char *text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$.";
	size_t len = strlen(text);

	return len > 0 && len <= 128 && strspn(text, allowed) == len && text[0] != '.' &&
		text[len - 1] != '.' && strstr(text, "..") == NULL;
}

int
bus_config_check(const struct config_node *node, const struct bus_config *config,
	struct config_errors *errors)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t before = errors->n, i;

	for (i = 0; config->urls != NULL && config->urls[i] != NULL; i++)
		if (!url_ok(config->urls[i]))
			config_error(errors, config_get(node, "urls"),
				"each must be nats://host:port or tls://host:port, without a "
				"user in it; a port is a number up to 65535");
	if (config->urls == NULL || config->urls[0] == NULL)
		config_error(errors, config_get(node, "urls"), "must name at least one server");
	if (bus_config_is_cleartext(config))
		config_warning(errors, config_get(node, "urls"),
			"nats:// sends the password and the events in the clear; use tls://");
	if (config->subject_prefix != NULL &&
		(config->subject_prefix[0] == '\0' ||
			config->subject_prefix[strspn(config->subject_prefix, letters)] !=
				'\0' ||
			strlen(config->subject_prefix) > PREFIX_MAX ||
			strcmp(config->subject_prefix, SOURCE_SUBJECT_PREFIX) == 0 ||
			strcmp(config->subject_prefix, DEAD_PREFIX) == 0 ||
			strcmp(config->subject_prefix, REPLAY_PREFIX) == 0))
		config_error(errors, config_get(node, "subjectPrefix"),
			"must be letters, digits, - and _, at most %d, and not \"" SOURCE_SUBJECT_PREFIX
			"\", \"" DEAD_PREFIX "\" or \"" REPLAY_PREFIX "\"",
			PREFIX_MAX);
	if (config->api_prefix != NULL && !is_prefix(config->api_prefix))
		config_error(errors, config_get(node, "apiPrefix"),
			"must be tokens of letters, digits, $, - and _, with dots between them");
	if (secret_is_set(&config->password) && config->user == NULL &&
		config_get(node, "user") == NULL)
		config_error(errors, node, "a password needs a user");
	if ((config->user != NULL) + secret_is_set(&config->token) +
			(config->credentials_file != NULL) >
		1)
		config_error(
			errors, node, "user, token and credentialsFile exclude each other");
	if ((config->cert_file == NULL) != (config->key_file == NULL))
		config_error(errors, node, "certFile and keyFile belong together");
	if (config->stream.duplicate_window_ms > config->stream.max_age_ms)
		config_error(errors, config_get(node, "stream"),
			"duplicateWindow must not exceed maxAge");
	return errors->n == before ? 0 : -1;
}

void
bus_config_options(const struct bus_config *config, const char *component, const char *name,
	struct buf *texts, struct bus_options *out)
{
	size_t inbox;

	buf_clear(texts);
	buf_printf(texts, "vcourier-%s%s%s", component, name != NULL ? " " : "",
		name != NULL ? name : "");
	buf_add_char(texts, '\0');
	inbox = texts->len;
	buf_add_str(texts, "_INBOX_");
	if (config->user != NULL) {
		subject_add_token(texts, config->user, strlen(config->user));
	} else {
		buf_add_str(texts, component);
		if (name != NULL) {
			buf_add_char(texts, '-');
			subject_add_token(texts, name, strlen(name));
		}
	}
	*out = (struct bus_options){ .urls = config->urls,
		.user = config->user,
		.password = &config->password,
		.token = &config->token,
		.credentials_file = config->credentials_file,
		.ca_file = config->ca_file,
		.cert_file = config->cert_file,
		.key_file = config->key_file,
		.insecure = config->insecure,
		.name = texts->data,
		.inbox_prefix = texts->data + inbox,
		.api_prefix = config->api_prefix };
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memmem */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection_file.h"
#include "exit_status.h"
#include "flags.h"
#include "mem.h"
#include "nats_context.h"
#include "printable.h"
#include "text.h"

#define AT(member) offsetof(struct connection_flags, member)

const struct command_option connection_options[] = {
	{ "config", 'c', COMMAND_TEXT, AT(config), "FILE", NULL, 0,
		"a configuration file; its block \"bus\" is enough" },
	{ "context", 0, COMMAND_TEXT, AT(context), "NAME", NULL, 0,
		"a context of the nats CLI; $VCOURIER_CONTEXT" },
	{ "server", 0, COMMAND_TEXT, AT(server), "URL", NULL, 0,
		"NATS server, nats://host:port or tls://host:port; commas between several; "
		"$VCOURIER_SERVER" },
	{ "user", 0, COMMAND_TEXT, AT(user), "NAME", NULL, 0, "NATS user; $VCOURIER_USER" },
	{ "password-file", 0, COMMAND_TEXT, AT(password_file), "FILE", NULL, 0,
		"a file with its password; $VCOURIER_PASSWORD_FILE" },
	{ "creds", 0, COMMAND_TEXT, AT(creds), "FILE", NULL, 0,
		"a credentials file (JWT and nkey); $VCOURIER_CREDS" },
	{ "ca", 0, COMMAND_TEXT, AT(ca), "FILE", NULL, 0,
		"PEM file of the CA that verifies the server; $VCOURIER_CA" },
	{ "cert", 0, COMMAND_TEXT, AT(cert), "FILE", NULL, 0,
		"PEM file of a client certificate; $VCOURIER_CERT" },
	{ "key", 0, COMMAND_TEXT, AT(key), "FILE", NULL, 0,
		"PEM file of its private key; $VCOURIER_KEY" },
	{ NULL },
};

enum { URLS_MAX = 32 };

static int
fail(int status, const char *what, const char *why)
{
	printable_line(stderr, "vcourier: %s%s%s", what, *why != '\0' ? ": " : "", why);
	return status;
}

static const char *
variable(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? text : NULL;
}

/* The options, and the variables in place of those that are not given. */
static struct connection_flags
with_variables(const struct connection_flags *given)
{
	struct connection_flags f = *given;

	if (f.config != NULL || f.context != NULL)
		return f;
	if (f.server == NULL)
		f.server = variable("VCOURIER_SERVER");
	if (f.server == NULL)
		f.context = variable("VCOURIER_CONTEXT");
	if (f.user == NULL && f.creds == NULL) {
		f.user = variable("VCOURIER_USER");
		f.creds = f.user == NULL ? variable("VCOURIER_CREDS") : NULL;
	}
	if (f.password_file == NULL && f.creds == NULL)
		f.password_file = variable("VCOURIER_PASSWORD_FILE");
	f.ca = f.ca != NULL ? f.ca : variable("VCOURIER_CA");
	f.cert = f.cert != NULL ? f.cert : variable("VCOURIER_CERT");
	f.key = f.key != NULL ? f.key : variable("VCOURIER_KEY");
	return f;
}

/* ---- where the settings come from */

static void
set_origin(struct connection_settings *c, const char *fmt, const char *name)
{
	struct buf text;

	buf_init(&text, 4096);
	buf_printf(&text, fmt, name);
	free(c->origin);
	c->origin = buf_take(&text, NULL);
}

static void
take_defaults(struct connection_settings *c)
{
	struct config_errors none;

	config_errors_init(&none);
	config_bind(NULL, bus_fields, &c->bus, sizeof(c->bus), &none);
	config_errors_free(&none);
}

static int
take_context(struct connection_settings *c, const char *name)
{
	struct err err;

	take_defaults(c);
	set_origin(c, "the NATS context %s", name);
	return nats_context_read(name, &c->bus, &err) == 0 ? EXIT_NOT_YET
							   : fail(EXIT_CONFIG, err.text, "");
}

/* Neither an option nor a variable names a source. */
static int
take_what_there_is(struct connection_settings *c, const struct connection_flags *f)
{
	bool refused = false;
	char *context;
	int rc;

	if (access(CONNECTION_CLI_PATH, R_OK) == 0) {
		set_origin(c, "%s", CONNECTION_CLI_PATH);
		return connection_file_host(c, f,
			access(FLAGS_DEFAULT_PATH, R_OK) == 0 ? FLAGS_DEFAULT_PATH : NULL);
	}
	refused = errno == EACCES;
	if (access(FLAGS_DEFAULT_PATH, R_OK) == 0) {
		set_origin(c, "%s", FLAGS_DEFAULT_PATH);
		return connection_file_read(c, f, FLAGS_DEFAULT_PATH);
	}
	context = nats_context_selected();
	if (context != NULL) {
		rc = take_context(c, context);
		free(context);
		return rc;
	}
	if (refused)
		return fail(EXIT_FORBIDDEN, CONNECTION_CLI_PATH,
			"Permission denied: root and the members of the group vcourier may read it; "
			"others use --server or --context");
	take_defaults(c);
	set_origin(c, "%s",
		"the default, because there is no --server, --context or -c, no VCOURIER_SERVER "
		"or VCOURIER_CONTEXT, no " CONNECTION_CLI_PATH " or " FLAGS_DEFAULT_PATH
		", and no selected NATS context");
	return EXIT_NOT_YET;
}

static int
take_source(struct connection_settings *c, const struct connection_flags *f)
{
	if (f->config != NULL) {
		set_origin(c, "-c %s", f->config);
		return connection_file_read(c, f, f->config);
	}
	if (f->context != NULL)
		return take_context(c, f->context);
	if (f->server != NULL) {
		take_defaults(c);
		set_origin(c, "%s", "--server or VCOURIER_SERVER");
		return EXIT_NOT_YET;
	}
	return take_what_there_is(c, f);
}

/* ---- single options */

static void
replace(char **to, const char *text)
{
	if (text == NULL)
		return;
	free(*to);
	*to = mem_strdup(text);
}

static void
drop_secret(struct secret *secret)
{
	mem_free_secret(secret->value);
	free(secret->file);
	*secret = (struct secret){ .value = NULL };
}

static void
replace_urls(struct bus_config *bus, const char *list)
{
	struct buf url;
	size_t n = 0, len;

	for (char **old = bus->urls; old != NULL && *old != NULL; old++)
		free(*old);
	free(bus->urls);
	bus->urls = mem_array(URLS_MAX + 1, sizeof(*bus->urls));
	for (; *list != '\0' && n < URLS_MAX; list += len) {
		list += strspn(list, ", ");
		len = strcspn(list, ", ");
		if (len == 0)
			continue;
		buf_init(&url, 4096);
		buf_printf(&url, "%s%.*s", memmem(list, len, "://", 3) != NULL ? "" : "nats://",
			(int)len, list);
		bus->urls[n++] = buf_take(&url, NULL);
	}
}

static void
replace_credentials(struct bus_config *bus, const struct connection_flags *f)
{
	if (f->user != NULL || f->creds != NULL) {
		drop_secret(&bus->password);
		drop_secret(&bus->token);
		free(bus->user);
		free(bus->credentials_file);
		bus->user = mem_strdup(f->user);
		bus->credentials_file = mem_strdup(f->creds);
	}
	if (f->password_file != NULL) {
		drop_secret(&bus->password);
		bus->password.file = mem_strdup(f->password_file);
	}
}

static int
check(const struct connection_settings *c, const struct connection_flags *f)
{
	struct config_errors errors;
	int rc = EXIT_NOT_YET;

	config_errors_init(&errors);
	if (bus_config_check(NULL, &c->bus, &errors) != 0) {
		const char *text = buf_str(&errors.text);

		printable_line(stderr, "vcourier: %s: %.*s",
			f->server != NULL ? "--server" : c->origin, (int)strcspn(text, "\n"),
			text);
		rc = f->server != NULL ? EXIT_USAGE : EXIT_CONFIG;
	}
	config_errors_free(&errors);
	return rc;
}

int
connection_open(struct connection_settings *c, const struct connection_flags *flags)
{
	struct connection_flags f = with_variables(flags);
	int rc;

	*c = (struct connection_settings){ .origin = NULL };
	if (f.config != NULL && f.context != NULL)
		return fail(EXIT_USAGE, "-c and --context exclude each other", "");
	if (f.user != NULL && f.creds != NULL)
		return fail(EXIT_USAGE, "--user and --creds exclude each other", "");
	if (f.server != NULL && strchr(f.server, '@') != NULL)
		return fail(EXIT_USAGE, "--server",
			"no user and no password in it, other users of this machine would see them: "
			"use --user and --password-file");
	rc = take_source(c, &f);
	if (rc != EXIT_NOT_YET)
		return rc;
	if (f.server != NULL)
		replace_urls(&c->bus, f.server);
	replace_credentials(&c->bus, &f);
	replace(&c->bus.ca_file, f.ca);
	replace(&c->bus.cert_file, f.cert);
	replace(&c->bus.key_file, f.key);
	return check(c, &f);
}

static void
free_list(char **list)
{
	for (char **s = list; s != NULL && *s != NULL; s++)
		free(*s);
	free(list);
}

void
connection_free(struct connection_settings *c)
{
	config_release(bus_fields, &c->bus);
	free_list(c->vcenters);
	free_list(c->sources);
	free_list(c->dispatchers);
	free(c->origin);
	*c = (struct connection_settings){ .origin = NULL };
}

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* d_type */
#include "nats_context.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"

enum { CONTEXT_BYTES_MAX = 64 * 1024, URLS_MAX = 32, LIST_MAX = 200 };

/* ---- where they are */

static const char *
home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *user;

	if (dir != NULL && *dir != '\0')
		return dir;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	user = getpwuid(getuid());
	return user != NULL ? user->pw_dir : "";
}

/* "~/.config/nats/<rest>" */
static void
path_init(struct buf *path, const char *rest)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");

	buf_init(path, 4096);
	if (xdg != NULL && *xdg != '\0')
		buf_printf(path, "%s/nats/%s", xdg, rest);
	else
		buf_printf(path, "%s/.config/nats/%s", home(), rest);
}

/* As the nats CLI demands. */
static bool
is_name(const char *name)
{
	return *name != '\0' && strstr(name, "..") == NULL && strchr(name, '/') == NULL;
}

char *
nats_context_selected(void)
{
	struct buf path, text;
	struct err err;
	char *name = NULL;
	size_t len;

	path_init(&path, "context.txt");
	buf_init(&text, 1024);
	if (file_read(buf_str(&path), &text, NULL, &err) == 0) {
		len = strcspn(buf_str(&text), " \t\r\n");
		if (len > 0)
			name = mem_strndup(text.data, len);
	}
	buf_free(&path);
	buf_free(&text);
	return name;
}

static void
add_known(struct buf *list)
{
	const struct dirent *entry;
	struct buf path;
	DIR *dir;

	path_init(&path, "context");
	dir = opendir(buf_str(&path));
	buf_free(&path);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (text_ends(entry->d_name, ".json") && list->len < LIST_MAX)
			buf_printf(list, "%s%.*s", list->len > 0 ? ", " : "",
				(int)(strlen(entry->d_name) - 5), entry->d_name);
	if (dir != NULL)
		closedir(dir);
}

/* ---- what they say */

static void
set(char **to, const char *text)
{
	struct buf path;

	if (text == NULL || *text == '\0')
		return;
	buf_init(&path, 4096);
	if (text_starts(text, "~/"))
		buf_printf(&path, "%s/%s", home(), text + 2);
	else
		buf_add_str(&path, text);
	free(*to);
	*to = buf_take(&path, NULL);
}

static void
set_secret(struct secret *to, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	mem_free_secret(to->value);
	to->value = mem_strdup(text);
}

/* One of the servers; user and password in it are those of the connection. */
static void
add_url(struct bus_config *bus, size_t i, const char *text, size_t len)
{
	const char *scheme = text_starts(text, "tls://") ? "tls://" : "nats://";
	const char *host = strstr(text, "://");
	const char *end = text + len, *at, *colon;
	struct buf url;
	char *part;

	host = host != NULL && host < end ? host + 3 : text;
	at = memchr(host, '@', (size_t)(end - host));
	if (at != NULL) {
		colon = memchr(host, ':', (size_t)(at - host));
		part = mem_strndup(host, (size_t)((colon != NULL ? colon : at) - host));
		set(&bus->user, part);
		free(part);
		if (colon != NULL) {
			part = mem_strndup(colon + 1, (size_t)(at - colon - 1));
			set_secret(&bus->password, part);
			mem_free_secret(part);
		}
		host = at + 1;
	}
	buf_init(&url, strlen(scheme) + len);
	buf_printf(&url, "%s%.*s", scheme, (int)(end - host), host);
	bus->urls[i] = buf_take(&url, NULL);
}

/* A list with commas. */
static void
set_urls(struct bus_config *bus, const char *text)
{
	size_t n = 0;

	if (text == NULL || *text == '\0')
		return;
	for (char **url = bus->urls; url != NULL && *url != NULL; url++)
		free(*url);
	free(bus->urls);
	bus->urls = mem_array(URLS_MAX + 1, sizeof(*bus->urls));
	while (*text != '\0' && n < URLS_MAX) {
		size_t len;

		text += strspn(text, ", ");
		len = strcspn(text, ", ");
		if (len > 0)
			add_url(bus, n++, text, len);
		text += len;
	}
}

int
nats_context_parse(const char *text, size_t len, struct bus_config *bus, struct err *err)
{
	static const char *const unsupported[] = { "nkey", "nsc", "user_jwt", "user_seed",
		"socks_proxy" };
	cJSON *json = cJSON_ParseWithLength(text, len);
	const char *domain;
	struct buf prefix;

	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return err_set(err, ERR_CONFIG, "it is not a JSON object");
	}
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
		if (json_member_text(json, unsupported[i])[0] != '\0') {
			cJSON_Delete(json);
			return err_set(err, ERR_CONFIG,
				"it uses \"%s\", which vcourier does not support: use user and password, a token or creds",
				unsupported[i]);
		}
	set_urls(bus, json_member_string(json, "url"));
	set(&bus->user, json_member_string(json, "user"));
	set_secret(&bus->password, json_member_string(json, "password"));
	set_secret(&bus->token, json_member_string(json, "token"));
	set(&bus->credentials_file, json_member_string(json, "creds"));
	set(&bus->ca_file, json_member_string(json, "ca"));
	set(&bus->cert_file, json_member_string(json, "cert"));
	set(&bus->key_file, json_member_string(json, "key"));
	set(&bus->api_prefix, json_member_string(json, "jetstream_api_prefix"));
	domain = json_member_text(json, "jetstream_domain");
	if (*domain != '\0') {
		buf_init(&prefix, 256);
		buf_printf(&prefix, "$JS.%s.API", domain);
		set(&bus->api_prefix, buf_str(&prefix));
		buf_free(&prefix);
	}
	cJSON_Delete(json);
	return 0;
}

int
nats_context_read(const char *name, struct bus_config *bus, struct err *err)
{
	struct buf path, text, known;
	struct buf rest;
	int rc;

	if (!is_name(name))
		return err_set(err, ERR_CONFIG,
			"the NATS context \"%.60s\": not the name of a context", name);
	buf_init(&rest, 1024);
	buf_printf(&rest, "context/%s.json", name);
	path_init(&path, buf_str(&rest));
	buf_init(&text, CONTEXT_BYTES_MAX);
	buf_init(&known, 1024);
	rc = file_read(buf_str(&path), &text, NULL, err);
	if (rc == 0) {
		rc = nats_context_parse(buf_str(&text), text.len, bus, err);
		if (rc != 0)
			err_wrap(err, "the NATS context \"%.60s\"", name);
	} else if (err->code == ERR_NOT_FOUND) {
		add_known(&known);
		err_set(err, ERR_CONFIG, "there is no NATS context \"%.60s\"%s%s", name,
			known.len > 0 ? "; there is: " : ", and no other", buf_str(&known));
	} else {
		err->code = ERR_CONFIG;
	}
	mem_wipe(text.data, text.cap);
	buf_free(&text);
	buf_free(&path);
	buf_free(&rest);
	buf_free(&known);
	return rc;
}

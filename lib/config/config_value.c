// SPDX-License-Identifier: Apache-2.0
/* Converts one scalar of a file to one C value: types, bounds, formats, and the errors. */
#define _POSIX_C_SOURCE 200809L
#include "config_tree.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "printable.h"
#include "text.h"

const char *
config_size_str(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned i = 0;

	while (i < 4 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, size, "%" PRId64 "%s", bytes, units[i]);
	return buf;
}

static const char *
number_str(enum config_type type, int64_t v, char *buf, size_t size)
{
	if (type == CONFIG_DURATION)
		return text_duration_str(v, buf, size);
	if (type == CONFIG_SIZE)
		return config_size_str(v, buf, size);
	snprintf(buf, size, "%" PRId64, v);
	return buf;
}

/* YAML 1.1 reads 010 as 8, YAML 1.2 as 10, so a leading zero is refused. */
static bool
plain_number(const char *s, int64_t *out)
{
	s += s[0] == '-';
	if (s[0] == '0' && s[1] != '\0')
		return false;
	return text_int(s, 0, INT64_MAX, out);
}

static int
number(const struct config_node *node, const struct config_field *f, int64_t *out,
	struct config_errors *errors)
{
	char shown[80], min[32], max[32];
	const char *text = node->text, *want;
	bool ok;
	int64_t v;

	if (f->type == CONFIG_DURATION) {
		ok = text_duration(text, &v);
		want = "a duration with a unit, such as 30s or 5m";
	} else if (f->type == CONFIG_SIZE) {
		ok = text_size(text, &v);
		want = "a size, such as 64MiB";
	} else {
		ok = node->plain && plain_number(text, &v);
		if (ok && text[0] == '-')
			v = -v;
		want = "a whole number";
	}
	if (!ok) {
		config_error(errors, node, "must be %s, got %s", want,
			config_quote(text, shown, sizeof(shown)));
		return -1;
	}
	if (v < f->min || (f->max != 0 && v > f->max)) {
		number_str(f->type, f->min, min, sizeof(min));
		number_str(f->type, f->max, max, sizeof(max));
		if (f->max != 0)
			config_error(errors, node, "must be between %s and %s, got %s", min,
				max, config_quote(text, shown, sizeof(shown)));
		else
			config_error(errors, node, "must be at least %s, got %s", min,
				config_quote(text, shown, sizeof(shown)));
		return -1;
	}
	*out = v;
	return 0;
}

/* The three spellings of YAML 1.2's core schema, section 10.3.2. */
static bool
is_one_of(const char *text, const char *a, const char *b, const char *c)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

static int
boolean(const struct config_node *node, const struct config_field *f, bool *out,
	struct config_errors *errors)
{
	bool yes = is_one_of(node->text, "true", "True", "TRUE");
	char shown[80];

	if (!node->plain || (!yes && !is_one_of(node->text, "false", "False", "FALSE"))) {
		config_error(errors, node, "must be true or false%s, got %s",
			node->plain ? "" : " without quotes",
			config_quote(node->text, shown, sizeof(shown)));
		return -1;
	}
	if (yes && (f->flags & CONFIG_INSECURE)) {
		errors->n_insecure++;
		config_warning(errors, node,
			"is insecure: anyone on the network path can read and change "
			"everything");
	}
	*out = yes;
	return 0;
}

static int
choice(const struct config_node *node, const struct config_field *f, int *out,
	struct config_errors *errors)
{
	struct config_suggestion near = { .text = node->text };
	struct buf all;
	char shown[80];
	int i;

	buf_init(&all, 1024);
	for (i = 0; f->choices[i] != NULL; i++) {
		if (strcmp(f->choices[i], node->text) == 0) {
			*out = i;
			buf_free(&all);
			return 0;
		}
		buf_printf(&all, "%s%s", i != 0 ? ", " : "", f->choices[i]);
		config_suggest(&near, f->choices[i]);
	}
	config_quote(node->text, shown, sizeof(shown));
	if (near.best != NULL)
		config_error(errors, node, "must be one of %s, got %s (did you mean \"%s\"?)",
			buf_str(&all), shown, near.best);
	else
		config_error(errors, node, "must be one of %s, got %s", buf_str(&all), shown);
	buf_free(&all);
	return -1;
}

static bool
url_ok(const char *url)
{
	const char *host = text_starts(url, "http://") ? url + 7
		: text_starts(url, "https://")         ? url + 8
						       : NULL;
	size_t n, i;

	if (host == NULL)
		return false;
	for (i = 0; url[i] != '\0'; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 127 || url[i] == '"' ||
			url[i] == '\\')
			return false;
	n = strcspn(host, "/?#");
	return n != 0 && host[0] != ':' && memchr(host, '@', n) == NULL;
}

/* "127.0.0.1:8082", "[::]:8082", "localhost:0" */
static bool
bind_ok(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t host = colon != NULL ? (size_t)(colon - text) : 0;
	unsigned char address[16];
	char name[64];
	int64_t port;

	if (host == 0 || !text_int(colon + 1, 0, 65535, &port))
		return false;
	if (host >= sizeof(name))
		return false;
	memcpy(name, text, host);
	name[host] = '\0';
	if (name[0] == '[' && name[host - 1] == ']') {
		name[host - 1] = '\0';
		return inet_pton(AF_INET6, name + 1, address) == 1;
	}
	return strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1;
}

/*
 * "CORP\tony" in double quotes is CORP, a tab, ony. Apart from PEM, no text has such characters
 * on purpose.
 */
static void
warn_of_escapes(const struct config_node *node, struct config_errors *errors)
{
	const char *text = node->text;

	if (!node->quoted || node->from_env || strstr(text, "-----BEGIN ") != NULL)
		return;
	if (!printable_is(text, strlen(text)) || strstr(text, "\xc2\xa0") != NULL)
		config_warning(errors, node,
			"has a control character, because in double quotes a backslash begins an escape: for a backslash use single quotes");
}

static int
string(const struct config_node *node, const struct config_field *f, char **out,
	struct config_errors *errors)
{
	const char *text = node->text;
	char shown[80];

	warn_of_escapes(node, errors);
	if ((f->flags & CONFIG_URL) && strchr(text, ' ') != NULL &&
		!text_has_control(text, strlen(text))) {
		config_error(errors, node, "has a blank in it: in a URL it is %%20");
		return -1;
	}
	if ((f->flags & CONFIG_URL) && strlen(text) > CONFIG_URL_MAX) {
		config_error(errors, node, "is longer than %d bytes", CONFIG_URL_MAX);
		return -1;
	}
	if ((f->flags & CONFIG_URL) && !url_ok(text)) {
		config_error(errors, node,
			"must be a URL, http:// or https:// and a host, without a user in it; "
			"got %s",
			config_quote(text, shown, sizeof(shown)));
		return -1;
	}
	if ((f->flags & CONFIG_BIND) && !bind_ok(text)) {
		config_error(errors, node,
			"must be an address and a port, such as 0.0.0.0:8082 or [::]:8082, got "
			"%s",
			config_quote(text, shown, sizeof(shown)));
		return -1;
	}
	if (text[0] == '\0' && (f->flags & (CONFIG_REQUIRED | CONFIG_FILE))) {
		config_error(errors, node, "must not be empty");
		return -1;
	}
	if (strpbrk(text, "\r\n") != NULL && (f->flags & CONFIG_FILE)) {
		config_error(errors, node, "must be one line");
		return -1;
	}
	*out = f->flags & CONFIG_FILE ? config_resolve(node, text) : mem_strdup(text);
	if ((f->flags & CONFIG_FILE) && access(*out, R_OK) != 0)
		config_warning(errors, node, "this file cannot be read here");
	return 0;
}

int
config_value(const struct config_node *node, const struct config_field *f, void *out,
	struct config_errors *errors)
{
	if (node->kind != NODE_SCALAR) {
		config_error(errors, node, "must be a single value, not a %s",
			node->kind == NODE_LIST ? "list" : "mapping");
		return -1;
	}
	if (node->env_unset != NULL) {
		config_error(errors, node, "the environment variable %s is not set",
			node->env_unset);
		return -1;
	}
	switch (f->type) {
	case CONFIG_BOOL:
		return boolean(node, f, out, errors);
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return number(node, f, out, errors);
	case CONFIG_ENUM:
		return choice(node, f, out, errors);
	default:
		return string(node, f, out, errors);
	}
}

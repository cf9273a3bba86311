// SPDX-License-Identifier: Apache-2.0
#include "function_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function_secret.h"
#include "mem.h"
#include "text.h"

enum {
	VARIABLES_MAX = 2000,
	FILE_MAX = 4 * 1024 * 1024,
	/* podman reads a line of its file into a buffer of 64 KiB, line feed included */
	LINE_MAX_BYTES = 64 * 1024 - 2,
	/* Linux: MAX_ARG_STRLEN, NAME=VALUE and NUL */
	VARIABLE_MAX = 128 * 1024,
};

struct variable {
	char *name, *value;
	const struct config_node *where;
};

struct env_reading {
	const struct function_spec *spec;
	const struct function_sources *sources;
	struct config_errors *errors;
	struct variable *variable;
	size_t n, cap;
	/* of the envFrom that is being read */
	const struct config_node *where;
	const char *prefix;
};

/* ---- names */

static bool
is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && (*name < '0' || *name > '9') &&
		strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
		n;
}

/* Names that the variables of a unit may have (systemd). */
static bool
is_plain_name(const char *name)
{
	return is_name(name) && strpbrk(name, "-.") == NULL;
}

/*
 * podman itself reads these. A value of several lines passes through its environment, so it
 * may have none of these names.
 */
static bool
is_of_podman(const char *name)
{
	static const char *const beginnings[] = { "LD_", "XDG_", "CONTAINER", "STORAGE_",
		"REGISTRY_", "DOCKER_", "PODMAN_", "SSL_CERT_", "DBUS_", "LISTEN_", "_", NULL };
	static const char *const names[] = { "PATH", "HOME", "TMPDIR", "NOTIFY_SOCKET",
		"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", NULL };

	for (size_t i = 0; beginnings[i] != NULL; i++)
		if (text_starts(name, beginnings[i]))
			return true;
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return text_ends(name, "_PROXY") || text_ends(name, "_proxy");
}

/* ---- variables: the last one of a name counts */

static void
set(struct env_reading *r, const struct config_node *where, const char *name, const char *value)
{
	size_t i = 0;

	while (i < r->n && strcmp(r->variable[i].name, name) != 0)
		i++;
	if (i == VARIABLES_MAX) {
		config_error(r->errors, where, "more than %d variables", VARIABLES_MAX);
		return;
	}
	if (i == r->n) {
		r->variable = mem_grow_for(r->variable, r->n, &r->cap, sizeof(*r->variable));
		r->variable[r->n++] = (struct variable){ .name = mem_strdup(name) };
	}
	mem_free_secret(r->variable[i].value);
	r->variable[i].value = mem_strdup(value);
	r->variable[i].where = where;
}

static void
set_from(void *ctx, const char *key, const char *value)
{
	struct env_reading *r = ctx;
	struct buf name;

	buf_init(&name, 1024);
	buf_printf(&name, "%s%s", r->prefix != NULL ? r->prefix : "", key);
	if (is_name(buf_str(&name)))
		set(r, r->where, buf_str(&name), value);
	else
		config_warning(r->errors, r->where,
			"\"%.64s\" is no name of a variable: left out, as Kubernetes does",
			buf_str(&name));
	buf_free(&name);
}

static void
read_from(struct env_reading *r)
{
	const struct function_env_from *from = r->spec->c.env_from.items;
	const struct config_node *list = config_get(r->spec->container, "envFrom");

	for (size_t i = 0; i < r->spec->c.env_from.n; i++) {
		bool is_secret = from[i].secret.name != NULL;
		const struct function_key *key = is_secret ? &from[i].secret
							   : &from[i].config_map;
		struct function_secret secret = { .kind = is_secret ? "Secret" : "ConfigMap",
			.name = key->name };

		r->where = secret.where = config_item(list, i);
		r->prefix = from[i].prefix;
		if (secret.name == NULL)
			config_error(r->errors, r->where, "has no secretRef or configMapRef");
		else if (function_secret_open(&secret, r->sources, key->optional, r->errors)) {
			function_secret_each(&secret, r->errors, set_from, r);
			function_secret_close(&secret);
		}
	}
}

/* The value of one key; NULL: it is optional and absent, or errors has the reason. */
static char *
value_from(
	struct env_reading *r, const struct config_node *where, const struct function_env *env)
{
	bool is_secret = env->from.secret.name != NULL;
	const struct function_key *key = is_secret ? &env->from.secret : &env->from.config_map;
	struct function_secret secret = {
		.kind = is_secret ? "Secret" : "ConfigMap", .name = key->name, .where = where
	};
	size_t before = r->errors->n;
	char *value;

	if (!function_secret_open(&secret, r->sources, key->optional, r->errors))
		return NULL;
	value = function_secret_value(&secret, key->key, r->errors);
	if (value == NULL && !key->optional && r->errors->n == before)
		config_error(r->errors, where, "the %s \"%.64s\" has no key \"%.64s\"",
			secret.kind, secret.name, key->key);
	function_secret_close(&secret);
	return value;
}

static char *
plain_value(struct env_reading *r, const struct function_env *env)
{
	const char *text = config_text(env->value);

	if (env->value != NULL && text == NULL)
		config_error(r->errors, env->value, "must be a text");
	else if (text != NULL && strstr(text, "$(") != NULL)
		config_error(
			r->errors, env->value, "$(NAME) is not replaced here: write the value");
	return mem_strdup(text != NULL ? text : "");
}

static void
read_env(struct env_reading *r)
{
	static const char *const own[] = { "PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION",
		NULL };
	const struct function_env *env = r->spec->c.env.items;
	const struct config_node *list = config_get(r->spec->container, "env"), *where;

	for (size_t i = 0; i < r->spec->c.env.n; i++) {
		bool reserved = false,
		     from = env[i].from.secret.name != NULL ||
			env[i].from.config_map.name != NULL;
		char *value;

		where = config_item(list, i);
		for (size_t k = 0; own[k] != NULL; k++)
			reserved = reserved || strcmp(env[i].name, own[k]) == 0;
		if (reserved || !is_name(env[i].name)) {
			config_error(r->errors, where, "\"%.64s\" %s", env[i].name,
				reserved
					? "is set by vcourier, as it is by Knative: ports has the port"
					: "is no name of a variable");
			continue;
		}
		value = from ? value_from(r, where, &env[i]) : plain_value(r, &env[i]);
		if (value != NULL)
			set(r, where, env[i].name, value);
		mem_free_secret(value);
	}
}

/* What Knative sets. */
static void
set_own(struct env_reading *r)
{
	char port[TEXT_INT_SIZE], revision[FUNCTION_SPEC_NAME_MAX + 8];

	text_from_int(r->spec->port, port);
	snprintf(revision, sizeof(revision), "%.*s-00001", FUNCTION_SPEC_NAME_MAX,
		r->spec->name);
	set(r, r->spec->node, "PORT", port);
	set(r, r->spec->node, "K_SERVICE", r->spec->name);
	set(r, r->spec->node, "K_CONFIGURATION", r->spec->name);
	set(r, r->spec->node, "K_REVISION", revision);
}

/* ---- the files */

static bool
fits_a_line(const struct variable *v)
{
	return strpbrk(v->value, "\r\n") == NULL &&
		strlen(v->name) + strlen(v->value) < LINE_MAX_BYTES;
}

/* systemd.exec(5), EnvironmentFile=: within double quotes a backslash goes before these. */
static void
add_quoted(struct buf *out, const struct variable *v)
{
	buf_printf(out, "%s=\"", v->name);
	for (const char *s = v->value; *s != '\0'; s++) {
		if (strchr("\"\\`$", *s) != NULL)
			buf_add_char(out, '\\');
		buf_add_char(out, *s);
	}
	buf_add_str(out, "\"\n");
}

static void
add_variable(struct function_env_files *files, const struct variable *v,
	struct config_errors *errors)
{
	size_t n = strlen(v->value);

	if (text_utf8_valid(v->value, n) != n)
		config_error(errors, v->where, "the value of \"%.64s\" is no UTF-8", v->name);
	else if (strlen(v->name) + n + 2 > VARIABLE_MAX)
		config_error(errors, v->where, "the value of \"%.64s\" is larger than 128 KiB",
			v->name);
	else if (fits_a_line(v)) {
		buf_add_str(&files->lines, v->name);
		buf_add_char(&files->lines, '=');
		buf_add_str(&files->lines, v->value);
		buf_add_char(&files->lines, '\n');
	} else if (!is_plain_name(v->name) || is_of_podman(v->name))
		config_error(errors, v->where, "\"%.64s\" cannot have a value of several lines",
			v->name);
	else {
		add_quoted(&files->quoted, v);
		files->name[files->n++] = mem_strdup(v->name);
	}
}

int
function_env_read(struct function_env_files *files, const struct function_spec *spec,
	const struct function_sources *sources, struct config_errors *errors)
{
	struct env_reading r = { .spec = spec, .sources = sources, .errors = errors };
	size_t before = errors->n;

	buf_init(&files->lines, FILE_MAX);
	buf_init(&files->quoted, FILE_MAX);
	read_from(&r);
	read_env(&r);
	set_own(&r);
	files->name = mem_array(r.n, sizeof(*files->name));
	files->n = 0;
	for (size_t i = 0; i < r.n; i++)
		add_variable(files, &r.variable[i], errors);
	if (!buf_ok(&files->lines) || !buf_ok(&files->quoted))
		config_error(errors, spec->node, "its environment is larger than 4 MiB");
	for (size_t i = 0; i < r.n; i++) {
		free(r.variable[i].name);
		mem_free_secret(r.variable[i].value);
	}
	free(r.variable);
	return errors->n == before ? 0 : -1;
}

void
function_env_free(struct function_env_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->name[i]);
	free(files->name);
	mem_wipe(files->lines.data, files->lines.len);
	mem_wipe(files->quoted.data, files->quoted.len);
	buf_free(&files->lines);
	buf_free(&files->quoted);
	*files = (struct function_env_files){ .name = NULL };
}

char *
function_env_login(const struct function_spec *spec, const struct function_sources *sources,
	struct config_errors *errors)
{
	const struct config_node *list = config_get(
		config_get(config_get(config_get(spec->node, "spec"), "template"), "spec"),
		"imagePullSecrets");
	const struct function_key *key = spec->pull_secrets.items;
	char *login = NULL;

	for (size_t i = 0; i < spec->pull_secrets.n && login == NULL; i++) {
		struct function_secret secret = {
			.kind = "Secret", .name = key[i].name, .where = config_item(list, i)
		};
		size_t before = errors->n;

		if (!function_secret_open(&secret, sources, false, errors))
			continue;
		login = function_secret_value(&secret, ".dockerconfigjson", errors);
		if (login == NULL && errors->n == before)
			config_error(errors, secret.where,
				"the Secret \"%.64s\" has no key \".dockerconfigjson\"",
				secret.name);
		function_secret_close(&secret);
	}
	return login;
}

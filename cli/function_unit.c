// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "function_unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "function_site.h"
#include "json.h"
#include "text.h"

enum { WORD_MAX = 1024 * 1024 };

/* ---- egress */

bool
function_unit_is_network(const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	unsigned char ip[16];
	int64_t bits;
	bool v4;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = inet_pton(AF_INET, address, ip) == 1;
	if (!v4 && inet_pton(AF_INET6, address, ip) != 1)
		return false;
	return slash == NULL || text_int(slash + 1, 0, v4 ? 32 : 128, &bits);
}

static bool
has_text(const struct command_texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strcmp(texts->text[i], text) == 0)
			return true;
	return false;
}

bool
function_unit_check_egress(const struct command_texts *egress, struct err *err)
{
	bool word = has_text(egress, "any") || has_text(egress, "none");

	if (word && egress->n > 1) {
		err_set(err, ERR_USAGE, "--egress any and none stand alone");
		return false;
	}
	for (size_t i = 0; i < egress->n && !word; i++)
		if (!function_unit_is_network(egress->text[i])) {
			err_set(err, ERR_USAGE,
				"--egress %.64s: neither any, nor none, nor a network such as 10.0.0.0/8",
				egress->text[i]);
			return false;
		}
	return true;
}

bool
function_unit_has_filter(const struct command_texts *egress)
{
	return egress->n > 0 && !has_text(egress, "any");
}

/*
 * systemd filters the packets of all processes of the unit. The dispatcher's requests come from
 * the host's address in podman's network.
 */
static void
add_egress(const struct function_unit *unit, struct buf *out)
{
	const struct command_texts *egress = unit->egress;

	if (!function_unit_has_filter(egress))
		return;
	buf_printf(out, "IPAddressDeny=any\nIPAddressAllow=localhost\nIPAddressAllow=%s\n",
		unit->networks);
	for (size_t i = 0; i < egress->n; i++)
		if (strcmp(egress->text[i], "none") != 0)
			buf_printf(out, "IPAddressAllow=%s\n", egress->text[i]);
}

/* ---- words */

/*
 * The generator reads the word with its quotes, and writes it into ExecStart= without a change
 * of "$" and "%"; systemd then replaces "$$" and "%%".
 */
static void
add_word(struct buf *out, const char *word)
{
	buf_add_str(out, " \"");
	for (const char *s = word; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '$' || c == '%')
			buf_printf(out, "%c%c", c, c);
		else if (c < ' ' || c == 127)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, *s);
	}
	buf_add_char(out, '"');
}

static void
add_option(struct buf *out, const char *option, const char *value)
{
	struct buf word;

	buf_init(&word, WORD_MAX);
	buf_printf(&word, "--%s=", option);
	buf_add_str(&word, value);
	add_word(out, buf_str(&word));
	buf_free(&word);
}

/* Command and arguments as one list of JSON: what runs is exactly that. */
static void
add_entrypoint(struct buf *out, const struct function_container *c)
{
	char *const *lists[] = { c->command, c->args };
	struct buf json;
	size_t n = 0;

	buf_init(&json, WORD_MAX);
	for (size_t l = 0; l < 2; l++)
		for (char *const *word = lists[l]; word != NULL && *word != NULL; word++) {
			buf_add_char(&json, n++ == 0 ? '[' : ',');
			json_add_string(&json, *word, strlen(*word));
		}
	buf_add_char(&json, ']');
	add_option(out, "entrypoint", buf_str(&json));
	buf_free(&json);
}

/* ---- the unit */

/* Root in the container is an id without rights on this machine, its own in each function. */
static void
add_ids(int port, struct buf *out)
{
	int64_t first = FUNCTION_IDS_FIRST +
		(int64_t)(port - FUNCTION_PORT_FIRST) * FUNCTION_IDS;

	buf_printf(out, " --uidmap=0:%lld:%d --gidmap=0:%lld:%d", (long long)first,
		FUNCTION_IDS, (long long)first, FUNCTION_IDS);
}

static void
add_podman_args(const struct function_unit *unit, struct buf *out)
{
	const struct function_spec *spec = unit->spec;

	buf_add_str(out, "PodmanArgs=--network=bridge");
	add_ids(unit->port, out);
	if (unit->login)
		buf_printf(
			out, " --authfile=" FUNCTION_SECRETS "/function@%s/login", spec->name);
	if (spec->memory_bytes > 0)
		buf_printf(out, " --memory=%lld", (long long)spec->memory_bytes);
	if (spec->cpu_thousandths > 0)
		buf_printf(out, " --cpus=%lld.%03lld",
			(long long)(spec->cpu_thousandths / 1000),
			(long long)(spec->cpu_thousandths % 1000));
	if (spec->port < 1024) /* without a capability */
		buf_add_str(out, " --sysctl=net.ipv4.ip_unprivileged_port_start=0");
	if (spec->c.working_dir != NULL)
		add_option(out, "workdir", spec->c.working_dir);
	for (size_t i = 0; i < unit->env->n; i++)
		buf_printf(out, " --env=%s", unit->env->name[i]);
	if (function_spec_has_command(spec))
		add_entrypoint(out, &spec->c);
	buf_add_char(out, '\n');
}

static void
add_user(const struct function_security *security, struct buf *out)
{
	if (security->user >= 0)
		buf_printf(out, "User=%lld\n", (long long)security->user);
	if (security->user >= 0 && security->group >= 0)
		buf_printf(out, "Group=%lld\n", (long long)security->group);
}

static void
add_container(const struct function_unit *unit, struct buf *out)
{
	const struct function_spec *spec = unit->spec;
	bool writable = unit->writable || spec->c.security.read_only == FUNCTION_FLAG_FALSE;

	buf_printf(out,
		"[Container]\n"
		"Image=%s\n"
		"ContainerName=" FUNCTION_UNIT_PREFIX "%s\n"
		"PublishPort=127.0.0.1:%d:%d\n"
		"EnvironmentFile=" FUNCTION_SECRETS "/function@%s/env\n"
		"NoNewPrivileges=true\n"
		"DropCapability=all\n"
		"ReadOnly=%s\n",
		spec->image, spec->name, unit->port, spec->port, spec->name,
		writable ? "false" : "true");
	add_user(&spec->c.security, out);
	add_podman_args(unit, out);
	if (!function_spec_has_command(spec) && spec->c.args != NULL &&
		spec->c.args[0] != NULL) {
		buf_add_str(out, "Exec=");
		for (char *const *word = spec->c.args; *word != NULL; word++)
			add_word(out, *word);
		buf_add_char(out, '\n');
	}
}

void
function_unit_write(const struct function_unit *unit, struct buf *out)
{
	buf_printf(out,
		FUNCTION_WRITTEN "; `vcourier function rm %s` removes it.\n"
				 "[Unit]\n"
				 "Description=vcourier function %s\n"
				 "StartLimitIntervalSec=0\n\n",
		unit->spec->name, unit->spec->name);
	add_container(unit, out);
	buf_add_str(out, "\n[Service]\n");
	if (unit->env->n > 0)
		buf_printf(out, "EnvironmentFile=" FUNCTION_SECRETS "/function@%s/lines\n",
			unit->spec->name);
	/* podman may have to pull the image */
	buf_add_str(out, "Restart=always\nRestartSec=5\nTimeoutStartSec=900\n");
	add_egress(unit, out);
	buf_add_str(out, "\n[Install]\nWantedBy=multi-user.target\n");
}

/* ---- the file for the dispatcher */

struct trigger_text {
	const struct config_node *unused;
	char *spec; /* JSON */
};

static const struct config_field trigger_rows[] = {
	{ "apiVersion", CONFIG_NODE, offsetof(struct trigger_text, unused) },
	{ "kind", CONFIG_NODE, offsetof(struct trigger_text, unused) },
	{ "metadata", CONFIG_NODE, offsetof(struct trigger_text, unused) },
	{ "status", CONFIG_NODE, offsetof(struct trigger_text, unused) },
	{ "spec", CONFIG_JSON, offsetof(struct trigger_text, spec) },
	{ NULL },
};

static void
add_trigger(
	const struct trigger_document *trigger, struct buf *out, struct config_errors *errors)
{
	struct trigger_text text;

	if (config_bind(trigger->node, trigger_rows, &text, sizeof(text), errors) == 0 &&
		text.spec != NULL) {
		buf_add_str(out,
			"---\n{\"apiVersion\": \"eventing.knative.dev/v1\", \"kind\": \"Trigger\", "
			"\"metadata\": {\"name\": ");
		json_add_string(out, trigger->name, strlen(trigger->name));
		buf_add_str(out, "}, \"spec\": ");
		buf_add_str(out, text.spec);
		buf_add_str(out, "}\n");
	}
	config_release(trigger_rows, &text);
}

void
function_unit_document(const struct function_documents *documents, const char *name, int port,
	struct buf *out, struct config_errors *errors)
{
	const struct own_document *own = &documents->own;

	buf_printf(out,
		FUNCTION_WRITTEN "; `vcourier function rm %s` removes it.\n"
				 "url: http://127.0.0.1:%d/\n",
		name, port);
	if (own->has_type_style)
		buf_printf(out, "typeStyle: %s\n", function_type_styles[own->type_style]);
	if (own->has_encoding)
		buf_printf(out, "encoding: %s\n", function_encodings[own->encoding]);
	buf_printf(out,
		"---\n{\"apiVersion\": \"serving.knative.dev/v1\", \"kind\": \"Service\", "
		"\"metadata\": {\"name\": \"%s\"}}\n",
		name);
	for (size_t i = 0; i < documents->n_triggers; i++) {
		const struct trigger_document *t = &documents->trigger[i];

		if (t->spec.subscriber.ref.name != NULL &&
			strcmp(t->spec.subscriber.ref.name, name) == 0)
			add_trigger(t, out, errors);
	}
}

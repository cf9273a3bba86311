// SPDX-License-Identifier: Apache-2.0
#include "function_spec.h"

#include <stdlib.h>
#include <string.h>

#include "function_fields.h"
#include "manifest_objects.h"
#include "mem.h"
#include "quantity.h"
#include "text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool
function_spec_is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= FUNCTION_SPEC_NAME_MAX && name[0] != '-' && name[n - 1] != '-' &&
		strspn(name, LOWER DIGITS "-") == n;
}

/* ---- the image */

/*
 * "kn-echo:1" is docker.io/library/kn-echo:1 in Kubernetes; podman alone would refuse it. The
 * characters are those of a reference: none of them is special in a unit file.
 */
static char *
full_image(const struct config_node *container, const char *image, struct config_errors *errors)
{
	size_t first = strcspn(image, "/"), n = strlen(image);
	bool has_path = image[first] == '/',
	     has_registry = has_path &&
		(memchr(image, '.', first) != NULL || memchr(image, ':', first) != NULL ||
			strncmp(image, "localhost/", 10) == 0);
	struct buf out;

	if (n > FUNCTION_SPEC_IMAGE_MAX || image[0] == '-' || image[0] == '/' ||
		strspn(image, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._/:@") != n) {
		config_error(errors, config_get(container, "image"),
			"is no name of an image: REGISTRY/NAME:TAG");
		return NULL;
	}
	buf_init(&out, 2 * FUNCTION_SPEC_IMAGE_MAX);
	if (!has_registry)
		buf_add_str(&out, has_path ? "docker.io/" : "docker.io/library/");
	buf_add_str(&out, image);
	return buf_take(&out, NULL);
}

/* "latest", or no tag at all: Kubernetes then asks the registry each time. */
static int
default_pull(const char *image)
{
	const char *last = strrchr(image, '/'), *tag;

	last = last != NULL ? last : image;
	tag = strchr(last, ':');
	return strchr(last, '@') == NULL && (tag == NULL || strcmp(tag, ":latest") == 0)
		? FUNCTION_PULL_ALWAYS
		: FUNCTION_PULL_MISSING;
}

/* ---- limits, user, command */

static void
read_limits(struct function_spec *spec, struct config_errors *errors)
{
	const struct config_node *limits = config_get(
		config_get(spec->container, "resources"), "limits");
	char **limit = spec->c.resources.limits;
	int64_t value;

	for (; limit != NULL && *limit != NULL; limit += 2) {
		const struct config_node *node = config_get(limits, limit[0]);

		if (strcmp(limit[0], "memory") != 0 && strcmp(limit[0], "cpu") != 0)
			config_error(errors, node,
				"is not possible for a function without Kubernetes");
		else if (!quantity_read(limit[1], &value))
			config_error(errors, node, "must be a quantity, such as 512Mi or 500m");
		else if (strcmp(limit[0], "cpu") == 0)
			spec->cpu_thousandths = value;
		else if (value / 1000 < INT64_C(6) << 20) /* podman's least */
			config_error(errors, node, "must be at least 6Mi");
		else
			spec->memory_bytes = value / 1000;
	}
}

/* Kubernetes replaces $(NAME) by a variable, and $$ by $. */
static void
check_words(const struct config_node *list, char *const *words, struct config_errors *errors)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		if (strstr(words[i], "$(") != NULL)
			config_error(errors, config_item(list, i),
				"$(NAME) is not replaced here: write the value");
}

bool
function_spec_has_command(const struct function_spec *spec)
{
	return spec->c.command != NULL && spec->c.command[0] != NULL;
}

/*
 * An argument that podman's generator loses: an empty one ends its list, and a lone ";" ends a
 * command of systemd. With `command` the arguments are JSON. NULL: none.
 */
static const char *
lost_argument(const struct function_spec *spec)
{
	char *const *word = function_spec_has_command(spec) ? NULL : spec->c.args;

	for (; word != NULL && *word != NULL; word++)
		if (**word == '\0' || strcmp(*word, ";") == 0)
			return *word;
	return NULL;
}

static void
take_pod_security(struct function_spec *spec)
{
	struct function_security *own = &spec->c.security;

	if (own->user < 0)
		own->user = spec->pod.user;
	if (own->group < 0)
		own->group = spec->pod.group;
	if (own->read_only == FUNCTION_FLAG_UNSET)
		own->read_only = spec->pod.read_only;
}

static void
read_container(struct function_spec *spec, struct config_errors *errors)
{
	struct function_container *c = &spec->c;

	if (config_bind(spec->container, function_container_fields, c, sizeof(*c), errors) != 0)
		return;
	if (c->image == NULL) { /* a list entry without a value: nothing in it is required */
		config_error(errors, spec->container, "image is missing");
		return;
	}
	spec->image = full_image(spec->container, c->image, errors);
	if (c->pull_policy == FUNCTION_PULL_UNSET)
		c->pull_policy = default_pull(c->image);
	if (spec->pull_secrets.n > 1)
		config_error(errors, spec->container, "a function has one imagePullSecret");
	if (lost_argument(spec) != NULL)
		config_error(errors, config_get(spec->container, "args"),
			"an argument \"%s\" is only possible together with command",
			lost_argument(spec));
	if (c->ports.n > 1)
		config_error(
			errors, config_get(spec->container, "ports"), "a Service has one port");
	read_limits(spec, errors);
	check_words(config_get(spec->container, "command"), c->command, errors);
	check_words(config_get(spec->container, "args"), c->args, errors);
	take_pod_security(spec);
}

/* ---- annotations */

static bool
is_scale(const char *key, const char *camel, const char *dashed)
{
	static const char prefix[] = "autoscaling.knative.dev/";
	const char *name = key + sizeof(prefix) - 1;

	return text_starts(key, prefix) &&
		(strcmp(name, camel) == 0 || strcmp(name, dashed) == 0);
}

static void
tell_scaling(const struct config_node *metadata, struct config_errors *errors)
{
	static const struct config_field row[] = { { "annotations", CONFIG_MAP, 0 }, { NULL } };
	const struct config_node *node = config_get(metadata, "annotations");
	struct config_errors ignored;
	char **annotation = NULL;

	config_errors_init(&ignored); /* for the other members of metadata */
	config_bind(metadata, row, &annotation, sizeof(annotation), &ignored);
	for (char **a = annotation; a != NULL && *a != NULL; a += 2) {
		if (is_scale(a[0], "minScale", "min-scale") && strcmp(a[1], "0") == 0)
			config_warning(errors, config_get(node, a[0]),
				"0 counts as 1: the container always runs");
		else if (text_starts(a[0], "autoscaling.knative.dev/") &&
			strcmp(a[1], "1") != 0)
			config_warning(errors, config_get(node, a[0]),
				"is ignored: there is one container");
	}
	config_release(row, &annotation);
	config_errors_free(&ignored);
}

/* ---- the Service */

static void
read_service(struct function_spec *spec, struct config_errors *errors)
{
	const struct config_node *node = config_get(spec->node, "spec");
	struct function_template t;

	if (node == NULL) {
		config_error(errors, spec->node, "spec is missing");
		return;
	}
	if (config_bind(node, function_template_fields, &t, sizeof(t), errors) == 0) {
		spec->pull_secrets = t.pull_secrets;
		t.pull_secrets = (struct config_list){ .n = 0 };
		spec->pod = t.security;
		spec->container = config_item(t.containers, 0);
		if (spec->container == NULL)
			config_error(errors, t.containers != NULL ? t.containers : node,
				"containers must be a list with one container");
		else if (config_item(t.containers, 1) != NULL)
			config_error(errors, config_item(t.containers, 1),
				"a further container is not possible for a function without Kubernetes");
		else
			read_container(spec, errors);
	}
	config_release(function_template_fields, &t);
	tell_scaling(config_get(spec->node, "metadata"), errors);
	tell_scaling(config_get(config_get(node, "template"), "metadata"), errors);
}

int
function_spec_read(struct function_spec *spec, const struct service_document *service,
	struct config_errors *errors)
{
	size_t before = errors->n;

	*spec = (struct function_spec){
		.node = service->node, .name = service->name, .port = service->port
	};
	if (!function_spec_is_name(spec->name))
		config_error(errors, config_get(config_get(spec->node, "metadata"), "name"),
			"must have 1 to %d lower-case letters, digits and \"-\"",
			FUNCTION_SPEC_NAME_MAX);
	read_service(spec, errors);
	return errors->n == before ? 0 : -1;
}

static const struct config_field pull_secret_rows[] = {
	{ "name", CONFIG_STRING, offsetof(struct function_key, name) },
	{ NULL },
};

void
function_spec_free(struct function_spec *spec)
{
	struct function_key *key = spec->pull_secrets.items;

	for (size_t i = 0; i < spec->pull_secrets.n; i++)
		config_release(pull_secret_rows, &key[i]);
	free(key);
	free(spec->image);
	if (spec->container != NULL)
		config_release(function_container_fields, &spec->c);
	*spec = (struct function_spec){ .node = NULL };
}

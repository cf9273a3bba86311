// SPDX-License-Identifier: Apache-2.0
/*
 * A Knative Service as `vcourier function` runs it: one container. Each member of the manifest
 * that a container of ours cannot have is an error, and each that has no effect a warning.
 */
#ifndef VCOURIER_FUNCTION_SPEC_H
#define VCOURIER_FUNCTION_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "function_documents.h"

enum { FUNCTION_SPEC_IMAGE_MAX = 500, FUNCTION_SPEC_NAME_MAX = 63 }; /* a DNS label */

/*
 * Members of a manifest that are checked, or accepted, without being stored. The first member
 * of a struct that has such members.
 */
struct function_other {
	char *refused;                    /* stays NULL */
	const struct config_node *unused; /* the last of them */
};

/* A key of a Secret or of a ConfigMap. */
struct function_key {
	struct function_other other;
	char *name, *key;
	bool optional;
};

struct function_env {
	char *name;
	const struct config_node *value; /* a text of any characters */
	struct function_value_from {
		struct function_other other;
		struct function_key secret, config_map;
	} from;
};

struct function_env_from {
	char *prefix;
	struct function_key secret, config_map; /* key is NULL: all of them */
};

struct function_port {
	struct function_other other;
	char *name;
	int protocol;
	int64_t port;
};

struct function_security { /* a securityContext */
	struct function_other other;
	int64_t user, group; /* -1: not given */
	int read_only;       /* enum function_flag */
};
enum function_pull {
	FUNCTION_PULL_UNSET,
	FUNCTION_PULL_MISSING,
	FUNCTION_PULL_ALWAYS,
	FUNCTION_PULL_NEVER
};
enum function_flag { FUNCTION_FLAG_UNSET, FUNCTION_FLAG_FALSE, FUNCTION_FLAG_TRUE };

struct function_container {
	struct function_other other;
	int pull_policy; /* enum function_pull */
	char *image, *working_dir;
	char **command, **args;
	struct {
		char **limits;
	} resources;
	struct config_list env, env_from, ports;
	struct function_security security;
};

struct function_spec {
	const struct config_node *node;      /* the Service */
	const struct config_node *container; /* of it */
	const char *name;
	char *image;                           /* with its registry */
	int port;                              /* that the container listens on */
	int64_t memory_bytes, cpu_thousandths; /* limits; 0: none */
	struct config_list pull_secrets;       /* of struct function_key */
	struct function_security pod;
	struct function_container c;
};

/*
 * Reads one Service. -1: errors has the reasons. Free the spec in both cases. The nodes are
 * borrowed.
 */
int function_spec_read(struct function_spec *spec, const struct service_document *service,
	struct config_errors *errors);
void function_spec_free(struct function_spec *spec);

/* It replaces the image's own command; else `args` are arguments of that. */
bool function_spec_has_command(const struct function_spec *spec);

/* A name that may be a part of file and unit names: lower-case letters, digits, "-". */
bool function_spec_is_name(const char *name);

#endif

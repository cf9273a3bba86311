// SPDX-License-Identifier: Apache-2.0
#include "function_fields.h"

#include <string.h>

/* In the order of the enums. */
static const char *const flags[] = { "unset", "false", "true", NULL };
static const char *const pulls[] = { "unset", "IfNotPresent", "Always", "Never", NULL };
static const char *const protocols[] = { "TCP", NULL };

/* An empty list, `{}` and false ask for nothing. */
static int
refuse(const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node);

	(void)field;
	if ((text == NULL && config_length(node) == 0) ||
		(text != NULL && strcmp(text, "false") == 0))
		return 0;
	config_error(errors, node, "is not possible for a function without Kubernetes");
	return -1;
}

/* clang-format off */
/* struct function_other is the first member of every struct here. */
#define REFUSED(key) \
	{ key, CONFIG_CUSTOM, offsetof(struct function_other, refused), .custom = refuse }
#define ACCEPTED(key) \
	{ key, CONFIG_NODE, offsetof(struct function_other, unused) }
#define TOLD(key, why) \
	{ key, CONFIG_NODE, 0, CONFIG_IGNORED, .help = (why) }

/* ---- who the process is */

static const struct config_field capability_fields[] = {
	REFUSED("add"),
	ACCEPTED("drop"),
	{ NULL },
};

static const struct config_field security_fields[] = {
	{ "runAsUser", CONFIG_INT, offsetof(struct function_security, user),
		.def = "-1", .min = -1, .max = 65535 },
	{ "runAsGroup", CONFIG_INT, offsetof(struct function_security, group),
		.def = "-1", .min = -1, .max = 65535 },
	{ "readOnlyRootFilesystem", CONFIG_ENUM,
		offsetof(struct function_security, read_only), .def = "unset",
		.choices = flags },
	{ "capabilities", CONFIG_OBJECT, offsetof(struct function_security, other),
		.fields = capability_fields },
	REFUSED("privileged"),
	REFUSED("allowPrivilegeEscalation"),
	REFUSED("sysctls"),
	REFUSED("windowsOptions"),
	ACCEPTED("runAsNonRoot"),
	TOLD("fsGroup", "there are no volumes"),
	TOLD("fsGroupChangePolicy", "there are no volumes"),
	TOLD("supplementalGroups", "the process has one group"),
	TOLD("seccompProfile", "podman's profile is used"),
	TOLD("appArmorProfile", "podman's profile is used"),
	TOLD("seLinuxOptions", "podman's label is used"),
	TOLD("procMount", "podman's default is used"),
	{ NULL },
};

/* ---- the environment */

static const struct config_field from_fields[] = {
	{ "name", CONFIG_STRING, offsetof(struct function_key, name), CONFIG_REQUIRED },
	{ "optional", CONFIG_BOOL, offsetof(struct function_key, optional) },
	{ NULL },
};

static const struct config_field key_fields[] = {
	{ "name", CONFIG_STRING, offsetof(struct function_key, name), CONFIG_REQUIRED },
	{ "key", CONFIG_STRING, offsetof(struct function_key, key), CONFIG_REQUIRED },
	{ "optional", CONFIG_BOOL, offsetof(struct function_key, optional) },
	{ NULL },
};

static const struct config_field value_from_fields[] = {
	{ "secretKeyRef", CONFIG_OBJECT, offsetof(struct function_value_from, secret),
		.fields = key_fields },
	{ "configMapKeyRef", CONFIG_OBJECT, offsetof(struct function_value_from, config_map),
		.fields = key_fields },
	REFUSED("fieldRef"),
	REFUSED("resourceFieldRef"),
	REFUSED("fileKeyRef"),
	{ NULL },
};

static const struct config_field env_fields[] = {
	{ "name", CONFIG_STRING, offsetof(struct function_env, name), CONFIG_REQUIRED },
	{ "value", CONFIG_NODE, offsetof(struct function_env, value) },
	{ "valueFrom", CONFIG_OBJECT, offsetof(struct function_env, from),
		.fields = value_from_fields },
	{ NULL },
};

static const struct config_field env_from_fields[] = {
	{ "prefix", CONFIG_STRING, offsetof(struct function_env_from, prefix) },
	{ "secretRef", CONFIG_OBJECT, offsetof(struct function_env_from, secret),
		.fields = from_fields },
	{ "configMapRef", CONFIG_OBJECT, offsetof(struct function_env_from, config_map),
		.fields = from_fields },
	{ NULL },
};

/* ---- the container */

static const struct config_field port_fields[] = {
	{ "containerPort", CONFIG_INT, offsetof(struct function_port, port), CONFIG_REQUIRED,
		.min = 1, .max = 65535 },
	{ "name", CONFIG_STRING, offsetof(struct function_port, name) },
	{ "protocol", CONFIG_ENUM, offsetof(struct function_port, protocol), .def = "TCP",
		.choices = protocols },
	REFUSED("hostPort"),
	REFUSED("hostIP"),
	{ NULL },
};

static const struct config_field resource_fields[] = {
	{ "limits", CONFIG_MAP, 0 },
	TOLD("requests", "nothing is reserved"),
	{ NULL },
};

const struct config_field function_container_fields[] = {
	{ "image", CONFIG_STRING, offsetof(struct function_container, image),
		CONFIG_REQUIRED },
	{ "imagePullPolicy", CONFIG_ENUM, offsetof(struct function_container, pull_policy),
		.def = "unset", .choices = pulls },
	{ "workingDir", CONFIG_STRING, offsetof(struct function_container, working_dir) },
	{ "command", CONFIG_STRINGS, offsetof(struct function_container, command) },
	{ "args", CONFIG_STRINGS, offsetof(struct function_container, args) },
	{ "env", CONFIG_OBJECTS, offsetof(struct function_container, env),
		.fields = env_fields, .item_size = sizeof(struct function_env) },
	{ "envFrom", CONFIG_OBJECTS, offsetof(struct function_container, env_from),
		.fields = env_from_fields, .item_size = sizeof(struct function_env_from) },
	{ "ports", CONFIG_OBJECTS, offsetof(struct function_container, ports),
		.fields = port_fields, .item_size = sizeof(struct function_port) },
	{ "resources", CONFIG_OBJECT, offsetof(struct function_container, resources),
		.fields = resource_fields },
	{ "securityContext", CONFIG_OBJECT, offsetof(struct function_container, security),
		.fields = security_fields },
	ACCEPTED("name"),
	TOLD("readinessProbe", "a function is ready when its port answers"),
	TOLD("livenessProbe", "a function is restarted when it ends"),
	TOLD("startupProbe", "a function is ready when its port answers"),
	TOLD("terminationMessagePath", "`vcourier function logs` shows what a function says"),
	TOLD("terminationMessagePolicy", "`vcourier function logs` shows what a function says"),
	REFUSED("volumeMounts"),
	REFUSED("volumeDevices"),
	REFUSED("lifecycle"),
	REFUSED("stdin"),
	REFUSED("stdinOnce"),
	REFUSED("tty"),
	{ NULL },
};

/* ---- the pod */

static const struct config_field pod_fields[] = {
	{ "containers", CONFIG_NODE, offsetof(struct function_template, containers),
		CONFIG_REQUIRED },
	{ "imagePullSecrets", CONFIG_OBJECTS, offsetof(struct function_template, pull_secrets),
		.fields = from_fields, .item_size = sizeof(struct function_key) },
	{ "securityContext", CONFIG_OBJECT, offsetof(struct function_template, security),
		.fields = security_fields },
	REFUSED("volumes"), REFUSED("initContainers"), REFUSED("ephemeralContainers"),
	REFUSED("hostNetwork"), REFUSED("hostPID"), REFUSED("hostIPC"),
	REFUSED("shareProcessNamespace"), REFUSED("hostAliases"), REFUSED("dnsConfig"),
	REFUSED("runtimeClassName"), REFUSED("hostUsers"), REFUSED("resourceClaims"),
	ACCEPTED("enableServiceLinks"),
	ACCEPTED("automountServiceAccountToken"),
	TOLD("serviceAccountName", "there is no Kubernetes API"),
	TOLD("containerConcurrency", "concurrencyPerTarget of the dispatcher counts"),
	TOLD("timeoutSeconds", "timeout of the dispatcher counts"),
	TOLD("responseStartTimeoutSeconds", "timeout of the dispatcher counts"),
	TOLD("idleTimeoutSeconds", "timeout of the dispatcher counts"),
	TOLD("terminationGracePeriodSeconds", "a function has 10 s to end"),
	TOLD("restartPolicy", "a function is always restarted"),
	TOLD("affinity", "there is one machine"),
	TOLD("nodeSelector", "there is one machine"),
	TOLD("nodeName", "there is one machine"),
	TOLD("tolerations", "there is one machine"),
	TOLD("topologySpreadConstraints", "there is one machine"),
	TOLD("schedulerName", "there is one machine"),
	TOLD("priorityClassName", "there is one machine"),
	TOLD("dnsPolicy", "the machine's DNS servers are used"),
	{ NULL },
};

static const struct config_field revision_fields[] = {
	ACCEPTED("metadata"),
	{ "spec", CONFIG_OBJECT, 0, CONFIG_REQUIRED, .fields = pod_fields },
	{ NULL },
};

const struct config_field function_template_fields[] = {
	{ "template", CONFIG_OBJECT, 0, CONFIG_REQUIRED, .fields = revision_fields },
	TOLD("traffic", "there is one revision, which gets all events"),
	{ NULL },
};
/* clang-format on */

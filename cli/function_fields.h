// SPDX-License-Identifier: Apache-2.0
/* The members of a Knative Service: those that count, that have no effect, that are refused. */
#ifndef VCOURIER_FUNCTION_FIELDS_H
#define VCOURIER_FUNCTION_FIELDS_H

#include "config.h"
#include "function_spec.h"

/* `spec` of a Service. */
struct function_template {
	struct function_other other;
	const struct config_node *containers;
	struct config_list pull_secrets; /* of struct function_key */
	struct function_security security;
};
extern const struct config_field function_template_fields[];

/* An item of `containers`; fills struct function_container. */
extern const struct config_field function_container_fields[];

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * One file of a directory of functions: the manifest that a user applied to Kubernetes (a
 * Knative Service with one or more Triggers, in several documents), or our own form, `url` with
 * `filter` or `filters`. Documents of other kinds are ignored.
 */
#ifndef VCOURIER_FUNCTION_MANIFEST_H
#define VCOURIER_FUNCTION_MANIFEST_H

#include "config.h"
#include "err.h"
#include "function_documents.h"
#include "function_set.h"

struct function_rules {
	const char *broker;      /* Triggers of another broker are refused */
	const char *service_url; /* with {name} and {port} */
	int type_style;          /* enum function_type_style */
	bool structured;
};

/* Whether a template of serviceURL gives a URL; its placeholders are known. */
int function_manifest_check_url(const char *service_url, struct err *err);

/* Adds the functions of a loaded file to the set; none of them when there are errors. */
void function_manifest_add(struct function_set *set, const struct config *config,
	const char *file, const struct function_rules *rules, struct config_errors *errors);

/*
 * Adds the functions of directory/file to the set. -1: none of them; err says where and why,
 * beginning with the file's name.
 */
int function_manifest_read(struct function_set *set, const char *directory, const char *file,
	const struct function_rules *rules, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The documents of a function's file, as they are written there. */
#ifndef VCOURIER_FUNCTION_DOCUMENTS_H
#define VCOURIER_FUNCTION_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum { FUNCTION_DOCUMENTS_MAX = 1000 }; /* of one file that count, the items of a List too */

/* In the order of the option typeStyle. */
enum function_type_style {
	FUNCTION_TYPE_AUTO, /* the dialect of the Trigger's filter */
	FUNCTION_TYPE_ROUTER,
	FUNCTION_TYPE_VSPHERE,
	FUNCTION_TYPE_VSPHERE_UNVERSIONED,
};
extern const char *const function_type_styles[];
extern const char *const function_encodings[]; /* binary, structured */

/* serving.knative.dev: Service */
struct service_document {
	const struct config_node *node;
	const char *name;
	int port; /* the first containerPort; 8080 when it has none */
};

/* eventing.knative.dev: Trigger */
struct trigger_document {
	const struct config_node *node;
	const char *name;
	struct trigger_spec {
		char *broker;
		struct trigger_filter {
			char **attributes;
		} filter;
		const struct config_node *filters;
		struct trigger_subscriber {
			struct trigger_ref {
				char *api_version, *kind, *name, *namespace;
			} ref;
			char *uri;
		} subscriber;
	} spec;
};

/* a document without `kind`: our own form */
struct own_document {
	const struct config_node *node; /* NULL: there is none */
	char *name, *url;
	struct trigger_filter filter;
	const struct config_node *filters;
	int type_style, encoding;
	bool has_filter, has_type_style, has_encoding;
};

struct function_documents {
	struct service_document *service;
	struct trigger_document *trigger;
	size_t n_services, cap_services, n_triggers, cap_triggers;
	struct own_document own;
};

/* Borrows the nodes of config. Free the documents in both cases. */
int function_documents_read(struct function_documents *d, const struct config *config,
	struct config_errors *errors);
void function_documents_free(struct function_documents *d);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "import_detect.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "ovf_properties.h"

/* Objects of Kubernetes, of whatever kind the first one is. */
static bool
is_manifest(const struct config *config)
{
	const struct config_node *document = NULL;

	while ((document = config_next_document(config, document)) != NULL)
		if (config_text(config_get(document, "apiVersion")) != NULL &&
			config_text(config_get(document, "kind")) != NULL)
			return true;
	return false;
}

/* Users write those values alone that are not the chart's. */
static bool
is_values(const struct config_node *root)
{
	static const char *const keys[] = { "eventProvider", "eventProcessor", "vcenter",
		"webhook", "horizon", "openfaas", "knative" };
	const struct config_node *values = config_get(root, "eventrouter");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (config_get(values, keys[i]) != NULL)
			return true;
	return false;
}

enum import_kind
import_detect(const struct config *config)
{
	const struct config_node *root = config_next_document(config, NULL);
	const char *kind = config_text(config_get(root, "kind"));

	if (config_get(config_item(root, 0), "provider") != NULL)
		return IMPORT_ROUTER_JSON;
	if (kind != NULL && strcmp(kind, "RouterConfig") == 0)
		return IMPORT_ROUTER_CONFIG;
	if (is_manifest(config))
		return IMPORT_MANIFEST;
	if (is_values(root))
		return IMPORT_VALUES;
	return IMPORT_NONE;
}

bool
import_detect_properties(const char *text)
{
	struct ovf_properties *list = mem_alloc(sizeof(*list));
	bool any;

	ovf_properties_read(list, text);
	any = list->n > 0;
	ovf_properties_free(list);
	free(list);
	return any;
}

enum import_kind
import_detect_file(const char *path)
{
	enum import_kind kind = IMPORT_NONE;
	struct config_errors errors;
	struct config *config;
	struct buf text;

	buf_init(&text, CONFIG_FILE_MAX);
	config_errors_init(&errors);
	if (file_read(path, &text, NULL, NULL) == 0 && import_detect_properties(buf_str(&text)))
		kind = IMPORT_PROPERTIES;
	else if (config_load_manifest(&config, path, &errors) == 0) {
		kind = import_detect(config);
		config_free(config);
	}
	config_errors_free(&errors);
	mem_wipe(text.data, text.len);
	buf_free(&text);
	return kind;
}

const char *
import_detect_name(enum import_kind kind)
{
	static const char *const names[] = { [IMPORT_NONE] = "an unknown file",
		[IMPORT_ROUTER_CONFIG] = "a RouterConfig",
		[IMPORT_MANIFEST] = "a manifest for Kubernetes",
		[IMPORT_ROUTER_JSON] = "a configuration of the event router 0.3 or 0.4",
		[IMPORT_VALUES] = "a values file of the event router's Helm chart",
		[IMPORT_PROPERTIES] = "the OVF properties of the appliance" };

	return names[kind];
}

// SPDX-License-Identifier: Apache-2.0
#include "import_detect.h"

#include <string.h>

#include "file.h"
#include "mem.h"
#include "text.h"

static bool
is_manifest(const struct config_node *root)
{
	const char *version = config_text(config_get(root, "apiVersion")),
		   *kind = config_text(config_get(root, "kind"));

	return version != NULL && kind != NULL &&
		(text_starts(version, "sources.tanzu.vmware.com/") ||
			strcmp(kind, "List") == 0 || strcmp(kind, "Secret") == 0 ||
			strcmp(kind, "Broker") == 0 || strcmp(kind, "Trigger") == 0 ||
			strcmp(kind, "Service") == 0 || strcmp(kind, "Namespace") == 0);
}

enum import_kind
import_detect(const struct config *config)
{
	const struct config_node *root = config_next_document(config, NULL),
				 *values = config_get(root, "eventrouter");
	const char *kind = config_text(config_get(root, "kind"));

	if (config_get(config_item(root, 0), "provider") != NULL)
		return IMPORT_ROUTER_JSON;
	if (kind != NULL && strcmp(kind, "RouterConfig") == 0)
		return IMPORT_ROUTER_CONFIG;
	if (is_manifest(root))
		return IMPORT_MANIFEST;
	if (config_text(config_get(values, "eventProvider")) != NULL)
		return IMPORT_VALUES;
	return IMPORT_NONE;
}

bool
import_detect_properties(const char *text)
{
	if (strstr(text, "oe:key=\"guestinfo.") != NULL)
		return true;
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		if (text_starts(text, "--prop:"))
			text += strlen("--prop:");
		if (text_starts(text, "guestinfo.") &&
			memchr(text, '=', strcspn(text, "\n")) != NULL)
			return true;
	}
	return false;
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

// SPDX-License-Identifier: Apache-2.0
#include "proxy_option.h"

#include <string.h>

#include "http_proxy.h"
#include "mem.h"

int
proxy_option(const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node);
	struct http_proxy proxy = { 0 };
	struct buf url;
	struct err err;

	if (text == NULL) {
		config_error(errors, node, "must be a proxy's URL, or \"\"");
		return -1;
	}
	if (*text != '\0' && http_proxy_parse(&proxy, text, &err) != 0) {
		config_error(errors, node, "%s", err.text);
		return -1;
	}
	http_proxy_free(&proxy);
	buf_init(&url, CONFIG_FILE_MAX);
	buf_printf(&url, "%s%s", *text == '\0' || strstr(text, "://") != NULL ? "" : "http://",
		text);
	*(char **)field = buf_take(&url, NULL);
	if (*(char **)field == NULL)
		*(char **)field = mem_strdup("");
	return 0;
}

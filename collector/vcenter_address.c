// SPDX-License-Identifier: Apache-2.0
#include "vcenter_address.h"

#include <string.h>
#include <strings.h>

#include "text.h"

/* Slices of an address: the host without a default port, the path without a last slash. */
struct endpoint {
	const char *host, *path;
	size_t host_len, path_len;
};

static const char *
host_of(const char *text)
{
	const char *scheme = strstr(text, "://");

	return scheme != NULL ? scheme + 3 : text;
}

void
vcenter_address_complete(const char *text, struct buf *url)
{
	const char *host = host_of(text), *path = strchr(host, '/');

	buf_printf(url, "%s%s", host == text ? "https://" : "", text);
	if (path == NULL || path[1] == '\0')
		buf_add_str(url, path == NULL ? "/sdk" : "sdk");
}

static struct endpoint
parse(const char *text)
{
	const char *port = text_starts(text, "http://") ? ":80" : ":443";
	struct endpoint e = { .host = host_of(text) };
	size_t len = strlen(port);

	e.host_len = strcspn(e.host, "/");
	e.path = e.host + e.host_len;
	e.path_len = strlen(e.path);
	if (e.host_len > len && strncmp(e.path - len, port, len) == 0)
		e.host_len -= len;
	while (e.path_len > 0 && e.path[e.path_len - 1] == '/')
		e.path_len--;
	if (e.path_len == 0) {
		e.path = "/sdk";
		e.path_len = strlen(e.path);
	}
	return e;
}

bool
vcenter_address_same(const char *a, const char *b)
{
	struct endpoint x = parse(a), y = parse(b);

	return x.host_len == y.host_len && x.path_len == y.path_len &&
		strncasecmp(x.host, y.host, x.host_len) == 0 &&
		memcmp(x.path, y.path, x.path_len) == 0;
}

void
vcenter_address_check(const struct router_config *config, const struct config_node *block,
	struct config_errors *errors)
{
	const struct config_node *node = config_get(block, "address");
	const char *address = config_text(node);

	for (size_t i = 0; address != NULL && i < config->providers.n; i++) {
		const struct router_entry *entry = &config->providers.entry[i];
		const struct config_node *other;
		const char *text;

		if (entry->type == NULL || !router_entry_is_vcenter(entry))
			continue;
		other = config_get(entry->node, entry->type);
		text = config_text(config_get(other, "address"));
		if (other == block || text == NULL || !vcenter_address_same(address, text))
			continue;
		config_warning(errors, node,
			"is also the address of %s: the events of this vCenter are stored in both "
			"streams and delivered twice",
			entry->name != NULL ? entry->name : "another eventProvider");
		return;
	}
}

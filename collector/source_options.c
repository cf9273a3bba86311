// SPDX-License-Identifier: Apache-2.0
#include "source_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "http.h"
#include "mem.h"
#include "text.h"

enum {
	CA_BYTES_MAX = 4 * 1024 * 1024,
	ADDRESS_MAX = 2000, /* it is the `source` of each event: envelope.h */
};

int
source_options_address(
	const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node), *host;
	struct buf url;

	if (text != NULL && strchr(text, ' ') != NULL) {
		config_error(errors, node, "has a blank in it: in a URL it is %%20");
		return -1;
	}
	host = text == NULL ? "" : strstr(text, "://") != NULL ? strstr(text, "://") + 3 : text;
	if (*host == '\0' || *host == '/' || strpbrk(host, " @?#\"\\<>\t\r\n") != NULL ||
		(host != text && !text_starts(text, "https://") &&
			!text_starts(text, "http://"))) {
		config_error(errors, node,
			"must be a host name or a URL such as https://server.example.com, "
			"without a user in it");
		return -1;
	}
	if (strlen(text) > ADDRESS_MAX) {
		config_error(errors, node, "is longer than %d bytes", ADDRESS_MAX);
		return -1;
	}
	buf_init(&url, CONFIG_FILE_MAX);
	buf_printf(&url, "%s%s", host == text ? "https://" : "", text);
	if (text_starts(text, "http://"))
		config_warning(errors, node, "http:// sends the password in the clear");
	*(char **)field = buf_take(&url, NULL);
	return 0;
}

int
source_options_thumbprint(
	const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node);
	size_t digits = 0, i;

	for (i = 0; text != NULL && text[i] != '\0'; i++) {
		if (isxdigit((unsigned char)text[i]))
			digits++;
		else if (text[i] != ':')
			digits = SIZE_MAX / 2;
	}
	if (digits != 64) {
		config_error(errors, node,
			"must be the SHA-256 of the certificate, 64 hex digits%s",
			digits == 40 ? "; this is a SHA-1" : "");
		return -1;
	}
	*(char **)field = mem_strdup(text);
	return 0;
}

void
source_options_start(const struct config_node *block, const char *text,
	struct source_start *start, struct config_errors *errors)
{
	if (text == NULL || strcmp(text, "now") == 0)
		start->from = SOURCE_START_NOW;
	else if (strcmp(text, "earliest") == 0)
		start->from = SOURCE_START_EARLIEST;
	else if (clock_parse(text, strlen(text), &start->value))
		start->from = SOURCE_START_TIME;
	else if (text_duration(text, &start->value))
		start->from = SOURCE_START_AGO;
	else
		config_error(errors, config_get(block, "startFrom"),
			"must be now, earliest, a time such as 2026-01-31T00:00:00Z or a "
			"duration such as 24h");
}

int64_t
source_start_us(const struct source_start *start, int64_t now_us)
{
	static const int64_t us_per_ms = 1000;

	switch (start->from) {
	case SOURCE_START_EARLIEST:
		return INT64_MIN;
	case SOURCE_START_AGO:
		return now_us - start->value * us_per_ms;
	case SOURCE_START_TIME:
		return start->value;
	case SOURCE_START_NOW:
		break;
	}
	return now_us;
}

/* One more PEM file at the end of what is there. */
static void
add_ca(struct buf *pem, const char *path, const struct config_node *node,
	struct config_errors *errors)
{
	struct err err;

	if (file_read(path, pem, NULL, &err) != 0 && err.code != ERR_LIMIT)
		config_error(errors, node, "%s", err.text);
	buf_add_char(pem, '\n');
}

/* As one PEM text; NULL: there are none. */
static char *
root_cas(const struct router_config *config, struct config_errors *errors)
{
	const struct config_node *certificates = config_get(
		config_root(config->file), "certificates");
	struct buf pem;
	char **path;

	if (config->top.root_cas == NULL || config->top.root_cas[0] == NULL)
		return NULL;
	buf_init(&pem, CA_BYTES_MAX);
	for (path = config->top.root_cas; *path != NULL; path++)
		add_ca(&pem, *path, config_get(certificates, "rootCAs"), errors);
	if (!buf_ok(&pem))
		config_error(errors, config_get(certificates, "rootCAs"),
			"more than 4 MiB of certificates");
	return buf_take(&pem, NULL);
}

void
source_server_bind(const struct router_config *config, const struct config_node *block,
	struct source_server *server, struct config_errors *errors)
{
	server->ca_pem = root_cas(config, errors);
	if (server->thumbprint != NULL && server->insecure)
		config_error(errors, block,
			"thumbprint and insecureSSL exclude each other: one checks, one does "
			"not");
}

void
source_server_release(struct source_server *server)
{
	free(server->ca_pem);
	server->ca_pem = NULL;
}

void
source_server_peer(const struct source_server *server, struct http_peer *peer)
{
	*peer = (struct http_peer){ .ca_file = server->ca_file,
		.ca_pem = server->ca_pem,
		.ca_only = server->ca_pem != NULL,
		.insecure = server->insecure,
		.thumbprint = server->thumbprint,
		.proxy = server->proxy,
		.proxy_ca_file = server->proxy_ca_file };
}

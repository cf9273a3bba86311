// SPDX-License-Identifier: Apache-2.0
#include "no_proxy.h"

#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "text.h"

struct rule {
	char *domain;  /* ".corp.example"; NULL: an address or a network */
	bool host_too; /* "corp.example" itself matches, too */
	uint8_t ip[16];
	unsigned bits;    /* of ip that are compared */
	const char *port; /* "": any */
};

struct no_proxy {
	char *text; /* holds the ports of the rules */
	struct rule *rule;
	size_t n;
	bool all;
};

/* "10.0.0.0/8" and "fd00::/8"; changes entry, and restores it when it is not a network. */
static bool
read_network(char *entry, struct rule *rule)
{
	char *slash = strchr(entry, '/');
	size_t digits = slash == NULL ? 0 : strspn(slash + 1, "0123456789");
	unsigned offset;
	int64_t bits;
	bool ok;

	if (digits == 0 || slash[1 + digits] != '\0')
		return false;
	*slash = '\0';
	offset = strchr(entry, ':') == NULL ? 96 : 0;
	ok = http_url_ip(entry, rule->ip) && text_int(slash + 1, 0, 128 - offset, &bits);
	*slash = '/';
	if (!ok)
		return false;
	rule->bits = offset + (unsigned)bits;
	for (unsigned i = rule->bits; i < 128; i++)
		rule->ip[i / 8] = (uint8_t)(rule->ip[i / 8] & ~(0x80U >> i % 8));
	return true;
}

/* Splits "host:port" or "[address]:port"; the port is "" when there is none. */
static char *
cut_port(char *entry, const char **port)
{
	char *colon = strrchr(entry, ':'), *end;

	*port = "";
	if (colon == NULL)
		return entry;
	if (*entry == '[') {
		end = strchr(entry, ']');
		if (end == NULL || end + 1 != colon || strpbrk(entry + 1, "[") != NULL)
			return entry;
		*end = '\0';
		*port = colon + 1;
		return entry + 1;
	}
	if (strchr(entry, ':') != colon || strpbrk(entry, "[]") != NULL)
		return entry;
	*colon = '\0';
	*port = colon + 1;
	return entry;
}

static void
set_domain(const char *name, struct rule *rule)
{
	struct buf domain;

	if (name[0] == '*' && name[1] == '.')
		name++;
	rule->host_too = name[0] != '.';
	buf_init(&domain, SIZE_MAX / 2);
	buf_printf(&domain, "%s%s", rule->host_too ? "." : "", name);
	rule->domain = buf_take(&domain, NULL);
}

static void
add_entry(struct no_proxy *list, char *entry)
{
	struct rule rule = { .bits = 128, .port = "" };

	if (strcmp(entry, "*") == 0) {
		list->all = true;
		return;
	}
	if (!read_network(entry, &rule)) {
		entry = cut_port(entry, &rule.port);
		if (*entry == '\0')
			return;
		if (!http_url_ip(entry, rule.ip))
			set_domain(entry, &rule);
	}
	list->rule = mem_grow(list->rule, list->n + 1, sizeof(*list->rule));
	list->rule[list->n++] = rule;
}

struct no_proxy *
no_proxy_parse(const char *text)
{
	static const char blanks[] = " \t\r\n\v\f";
	struct no_proxy *list = mem_alloc(sizeof(*list));
	char *entry, *next, *end;

	list->text = mem_strdup(text != NULL ? text : "");
	for (char *p = list->text; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	for (entry = list->text; entry != NULL; entry = next) {
		next = strchr(entry, ',');
		end = next != NULL ? next : entry + strlen(entry);
		if (next != NULL)
			*next++ = '\0';
		while (end > entry && strchr(blanks, end[-1]) != NULL)
			*--end = '\0';
		entry += strspn(entry, blanks);
		if (*entry != '\0')
			add_entry(list, entry);
	}
	return list;
}

void
no_proxy_free(struct no_proxy *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->n; i++)
		free(list->rule[i].domain);
	free(list->rule);
	free(list->text);
	free(list);
}

static bool
match_address(const struct rule *rule, const uint8_t ip[16])
{
	/* ::/0 and similar networks contain IPv6 addresses only */
	if (http_url_ip_is_v4(rule->ip) != http_url_ip_is_v4(ip))
		return false;
	for (unsigned i = 0; i < rule->bits; i++)
		if (((rule->ip[i / 8] ^ ip[i / 8]) & 0x80U >> i % 8) != 0)
			return false;
	return true;
}

static bool
match_domain(const struct rule *rule, const char *host)
{
	size_t host_len = strlen(host), len = strlen(rule->domain);

	if (host_len >= len && strcasecmp(host + host_len - len, rule->domain) == 0)
		return true;
	return rule->host_too && strcasecmp(host, rule->domain + 1) == 0;
}

bool
no_proxy_match(const struct no_proxy *list, const char *host, const char *port)
{
	uint8_t ip[16];
	bool is_address = http_url_ip(host, ip);

	if (list->all)
		return true;
	for (size_t i = 0; i < list->n; i++) {
		const struct rule *rule = &list->rule[i];
		bool match = false;

		if (rule->domain == NULL)
			match = is_address && match_address(rule, ip);
		else if (
			!is_address) /* without this ".1" would match 10.0.0.1: Go's CVE-2025-22870 */
			match = match_domain(rule, host);
		if (match && (*rule->port == '\0' || strcmp(rule->port, port) == 0))
			return true;
	}
	return false;
}

// SPDX-License-Identifier: Apache-2.0
#include "certificate.h"

#include <stdio.h>

#include "clock.h"
#include "session_open.h"

enum { TEXT_MAX = 2048 }; /* bytes of a URL that are printed */

static void
print_text(const char *name, const char *text)
{
	printf("           %-8s ", name);
	session_print_safe(stdout, text[0] != '\0' ? text : "(none)", TEXT_MAX);
	putchar('\n');
}

static void
print_validity(const struct http_certificate *c)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	int64_t now = clock_wall_us();

	if (c->not_before_us == INT64_MIN || c->not_after_us == INT64_MIN) {
		print_text("valid", "its dates cannot be read");
		return;
	}
	printf("           %-8s %s to %s%s\n", "valid", clock_format(c->not_before_us, from),
		clock_format(c->not_after_us, to),
		now > c->not_after_us            ? ": it has EXPIRED"
			: now < c->not_before_us ? ": NOT YET valid"
						 : "");
}

void
certificate_print(struct http *http, const char *url, const struct http_peer *peer,
	const struct certificate_place *place)
{
	struct http_certificate c;
	struct err err;

	if (http_look_at_certificate(http, url, peer, &c, &err) != 0)
		return;
	fputs("         the certificate at ", stdout);
	session_print_safe(stdout, url, TEXT_MAX);
	fputs(":\n", stdout);
	print_text("subject", c.subject);
	print_text("names", c.names);
	print_text("issuer", c.self_signed ? "itself" : c.issuer);
	print_validity(&c);
	print_text("SHA-256", c.sha256);
	if (place->has_thumbprint)
		printf("         Compare it with the one that the server itself shows. "
		       "To trust exactly this certificate,\n"
		       "         put this line into %s:\n"
		       "           thumbprint: \"%s\"\n",
			place->block, c.sha256);
	else
		printf("         To trust it, put the certificate of its issuer into a file, "
		       "and this line into %s:\n"
		       "           caFile: FILE.pem\n",
			place->block);
}

// SPDX-License-Identifier: Apache-2.0
#include "checklist.h"

#include <stdarg.h>
#include <stdio.h>

#include "exit_status.h"
#include "session_open.h"

void
checklist_say(struct checklist *list, bool ok, const char *what, const char *fmt, ...)
{
	char text[1024]; /* some of it comes from the peer */
	va_list ap;

	if (!ok && list->status == 0)
		list->status = EXIT_RUNTIME;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("  %-6s ", ok ? "ok" : "FAILED");
	session_print_safe(stdout, what, 256);
	fputs(": ", stdout);
	session_print_safe(stdout, text, sizeof(text));
	putchar('\n');
	fflush(stdout);
}

void
checklist_fail(struct checklist *list, const char *what, const struct err *err)
{
	int status = EXIT_RUNTIME;

	/* ERR_TLS: the configuration has to say whom to trust */
	if (err->code == ERR_TLS || err->code == ERR_CONFIG)
		status = EXIT_CONFIG;
	else if (err->code == ERR_AUTH || err->code == ERR_FORBIDDEN)
		status = EXIT_FORBIDDEN;
	else if (err->code == ERR_CONNECT || err->code == ERR_TIMEOUT)
		status = EXIT_UNREACHABLE;
	if (status > list->status)
		list->status = status;
	checklist_say(list, false, what, "%s", err->text);
}

const char *
checklist_label(char out[160], const char *kind, const char *name)
{
	snprintf(out, 160, "%s %s", kind, name);
	return out;
}

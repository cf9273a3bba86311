// SPDX-License-Identifier: Apache-2.0
#include "letter_print.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "printable.h"
#include "protocol.h"
#include "session_open.h"

static void
print_json(const struct letter *l)
{
	struct buf out;

	buf_init(&out, 64 * 1024 * 1024);
	letter_add_json(l, &out);
	puts(buf_str(&out));
	buf_free(&out);
}

void
letter_print_line(const struct letter *l, bool json)
{
	char value[LETTER_VALUE_MAX], time[CLOCK_TEXT_SIZE];
	const char *name = letter_event_name(
		l->msg.subject, letter_header(l, HEADER_SUBJECT, value));

	if (json) {
		print_json(l);
		return;
	}
	printf("%8llu %s ", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	session_print_safe(stdout, letter_header(l, HEADER_DISPATCHER, value), 64);
	putchar(' ');
	session_print_safe(stdout, name != NULL ? name : l->msg.subject, 200);
	putchar(' ');
	session_print_safe(stdout, letter_header(l, HEADER_ATTEMPTS, value), 20);
	printf("x ");
	session_print_safe(stdout, letter_header(l, HEADER_REASON, value), 32);
	fputs(": ", stdout);
	session_print_safe(stdout, letter_header(l, HEADER_ERROR, value), 300);
	putchar('\n');
}

void
letter_print_all(const struct letter *l)
{
	char time[CLOCK_TEXT_SIZE];

	printf("dead letter %llu of %s\nsubject: ", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	session_print_safe(stdout, l->msg.subject, 1024);
	putchar('\n');
	for (const char *line = strchr(l->msg.headers, '\n'); line != NULL && line[1] > ' ';
		line = strchr(line + 1, '\n')) {
		char copy[LETTER_VALUE_MAX];

		snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line + 1, "\r\n"), line + 1);
		session_print_safe(stdout, copy, sizeof(copy));
		putchar('\n');
	}
	putchar('\n');
	printable_lines(stdout, l->msg.data, l->msg.len);
	fputs("\n\n", stdout);
}

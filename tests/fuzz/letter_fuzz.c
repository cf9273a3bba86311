// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a dead letter's subject, headers and data, from anybody who may write into VCDEAD,
 * then the replies of JetStream when it is sent again. With --json one line of valid JSON is
 * printed; else one line, on a terminal up to three, and nothing that steers it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_bus.h"
#include "json.h"
#include "letter_print.h"
#include "letter_row.h"
#include "printable.h"

static const int widths[] = { 40, 80, 160 };
enum { WAYS = 6 };

/* Prints in one of the ways; the text is to be freed. */
static char *
print(const struct letter *l, int way, size_t *len)
{
	fuzz_print_begin();
	if (way == 2)
		letter_print_all(l);
	else if (way > 2)
		letter_row(l, widths[way - 3]);
	else
		letter_print_line(l, way == 0);
	return fuzz_printed(len);
}

static void
check_printed(const struct letter *l)
{
	for (int way = 0; way < WAYS; way++) {
		size_t len, line;
		char *text = print(l, way, &len);
		const char *p = text;

		assert(len > 0 && text[len - 1] == '\n');
		if (way == 0) {
			assert(json_skip_value(&p, text + len) && *p == '\n');
			assert(p == text + len - 1);
		}
		for (size_t at = 0; at < len; at += line + 1) {
			line = strcspn(text + at, way == 2 ? "\n\t" : "\n");
			assert(printable_is(text + at, line));
			assert(way >= 2 || at + line + 1 == len);
		}
		free(text);
	}
}

static void
send_again(const struct letter *l, struct fuzz_parts *replies)
{
	static const struct bus_config config = { .dead_letters = { .max_age_ms = 1000 } };
	struct session s = { .bus = fuzz_bus(replies), .config = &config };
	struct err err = { .code = ERR_NONE };

	if (letter_send_again(&s, l, &err) != 0)
		assert(err.code != ERR_NONE && err.text[0] != '\0');
	else
		assert(strncmp(l->msg.subject, "vcdead.", 7) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts parts;
	struct letter l = { .msg = { .seq = 7, .time_us = INT64_C(1700000000000000) } };

	fuzz_parts_init(&parts, data, size);
	l.msg.subject = (char *)(uintptr_t)fuzz_part(&parts);
	l.msg.headers = (char *)(uintptr_t)fuzz_part(&parts);
	l.msg.data = (char *)(uintptr_t)fuzz_part(&parts);
	l.msg.len = strlen(l.msg.data);
	if (*l.msg.subject == '\0')
		l.msg.subject = (char[]){ "vcdead.fn.lab.dc.cl.info.event.VmPoweredOnEvent" };
	check_printed(&l);
	send_again(&l, &parts);
	fuzz_parts_free(&parts);
	return 0;
}

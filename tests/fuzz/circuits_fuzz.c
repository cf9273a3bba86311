// SPDX-License-Identifier: Apache-2.0
/*
 * Input: the subject and the data of each reply to `vcourier status`, a NUL byte between them:
 * any program that may publish to the inbox. What is printed does not steer a terminal, and
 * dispatchers that are not in the configuration have no part in it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "circuits.h"
#include "fuzz_bus.h"
#include "printable.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session_dispatcher dispatcher[] = { { (char *)(uintptr_t) "fn", "fn" },
		{ (char *)(uintptr_t) "broker", "broker" } };
	struct session s = { .dispatcher = dispatcher, .n_dispatchers = 2 };
	struct circuits *circuits;
	struct fuzz_parts parts;
	char text[64], *printed;
	size_t len, line;

	fuzz_parts_init(&parts, data, size);
	s.bus = fuzz_bus(&parts);
	circuits = circuits_ask(&s);
	for (size_t i = 0; i < 2; i++) {
		circuits_text(circuits, i, text, sizeof(text));
		assert(memchr(text, '\0', sizeof(text)) != NULL);
		assert(circuits_open(circuits, i) == (strncmp(text, "OPEN", 4) == 0));
	}
	fuzz_print_begin();
	circuits_print(circuits);
	printed = fuzz_printed(&len);
	for (size_t at = 0; at < len; at += line + 1) {
		line = strcspn(printed + at, "\n");
		assert(printable_is(printed + at, line));
	}
	free(printed);
	circuits_free(circuits);
	fuzz_parts_free(&parts);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: the subject and the data of each reply to `vcourier status`, a NUL byte between them:
 * any program that may publish to the inbox. What is printed does not steer a terminal, and
 * dispatchers that are not in the configuration have no part in it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_bus.h"
#include "peers_print.h"
#include "printable.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* clang-format 14 and 19 differ */
	/* clang-format off */
	static struct session_dispatcher dispatcher[] = { { (char *)(uintptr_t) "fn", "fn" },
		{ (char *)(uintptr_t) "broker", "broker" } };
	static struct session_source source[] = { { (char *)(uintptr_t) "lab", "VC_lab",
		"vc.lab.>", false } };
	/* clang-format on */
	struct session s = {
		.dispatcher = dispatcher, .n_dispatchers = 2, .source = source, .n_sources = 1
	};
	struct peers *peers;
	struct fuzz_parts parts;
	char *printed;
	size_t len, line, replicas, paused;
	struct err err;

	fuzz_parts_init(&parts, data, size);
	s.bus = fuzz_bus(&parts);
	assert(peers_open(&peers, &s, &err) == 0 && peers_ask(peers, &err) == 0);
	for (size_t i = 0; i < 3; i++) {
		replicas = peers_count(peers, i, &paused);
		assert(paused <= replicas && (replicas == 0 || peers_heard(peers, i)));
		assert(peers_reply(peers, i, replicas) == NULL);
	}
	fuzz_print_begin();
	peers_print(&s, peers, stdout);
	printed = fuzz_printed(&len);
	for (size_t at = 0; at < len; at += line + 1) {
		line = strcspn(printed + at, "\n");
		assert(printable_is(printed + at, line));
	}
	free(printed);
	peers_free(peers);
	fuzz_parts_free(&parts);
	return 0;
}

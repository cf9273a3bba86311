// SPDX-License-Identifier: Apache-2.0
/* The bus, against a real nats-server; what is carried over it: publisher_test. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "test.h"

#include <stdio.h>

#include "bus_private.h"
#include "nats.h"
#include "stop.h"

/* Its certificate is good, but somebody else's; or nobody's that we trust. */
static void
a_wrong_certificate_is_refused(void **state)
{
	static const char *const names[] = { "DNS:other.example", "IP:127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
		struct nats_server server;
		struct bus *bus;
		struct err err = { .code = ERR_NONE };
		char url[64];

		nats_server_start(&server, names[i]);
		snprintf(url, sizeof(url), "tls://127.0.0.1:%d", server.port);
		server.urls[0] = url;
		options.urls = server.urls;
		options.ca_file = i == 0 ? server.ca : NULL;
		assert_int_equal(bus_open(&bus, &options, &err), 0);
		/* before the first try: not connected */
		for (int tries = 0; tries < 200 && err.code != ERR_TLS; tries++)
			assert_int_equal(bus_wait_connected(bus, 100, &err), -1);
		assert_int_equal(err.code, ERR_TLS);
		bus_close(bus);
		nats_server_stop(&server);
	}
}

/* As cnats 3.4.1 writes them, and what is left for people. */
static void
texts_of_the_library(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "(conn.c:2088): Authorization Violation", "Authorization Violation" },
		{ "SSL handshake error: 10:certificate has expired:depth=0:cert=/CN=x",
			"certificate has expired:depth=0:cert=/CN=x" },
		{ "(conn.c:500): SSL handshake error: 18:self-signed certificate",
			"self-signed certificate" },
		{ "SSL handshake error: unexpected eof",
			"SSL handshake error: unexpected eof" },
		{ "SSL handshake error: 7", "SSL handshake error: 7" },
		{ "(not a place): x", "(not a place): x" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(bus_error_text(rows[i].text), rows[i].shown);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_certificate_is_refused),
		cmocka_unit_test(texts_of_the_library),
	};

	stop_init();
	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}

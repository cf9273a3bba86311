// SPDX-License-Identifier: Apache-2.0
/*
 * A real nats-server with JetStream for unit tests: a port of its own, a store that is removed
 * afterwards.
 */
#ifndef VCOURIER_TEST_NATS_H
#define VCOURIER_TEST_NATS_H

#include <stdbool.h>
#include <stddef.h>

struct nats_server {
	long pid;
	int port;
	char dir[64], url[64];
	char *urls[2];   /* for struct bus_options */
	char ca[96];     /* with TLS: the certificate to trust */
	bool tls, plain; /* plain: without JetStream, whose API a test can then answer itself */
};

/*
 * tls_name: NULL, or the subject alternative name of its certificate ("IP:127.0.0.1"). Fails
 * the test when it cannot.
 */
void nats_server_start(struct nats_server *s, const char *tls_name);
void nats_server_start_plain(struct nats_server *s);
void nats_server_kill(struct nats_server *s);  /* kill -9; the store stays */
void nats_server_again(struct nats_server *s); /* same port, same store */
void nats_server_stop(struct nats_server *s);  /* and removes the store */

/* Group setup and teardown of tests that make messages of cnats without a connection. */
int nats_library_open(void **state);
int nats_library_close(void **state);

#endif

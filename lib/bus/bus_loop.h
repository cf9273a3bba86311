// SPDX-License-Identifier: Apache-2.0
/*
 * One thread for all socket I/O of a connection. cnats before 3.11 reads and writes a TLS
 * connection from two threads, which OpenSSL does not allow. In its event-loop mode cnats
 * leaves all I/O to this thread.
 */
#ifndef VCOURIER_BUS_LOOP_H
#define VCOURIER_BUS_LOOP_H

#include <nats/nats.h>
#include <stdbool.h>

struct bus_loop;

bool bus_loop_needed(void); /* depends on the version of the library in use */

struct bus_loop *bus_loop_open(void); /* NULL: no descriptors left */
/* Stops the thread; after natsConnection_Close, before natsConnection_Destroy. NULL is fine. */
void bus_loop_close(struct bus_loop *loop);
natsStatus bus_loop_use(struct bus_loop *loop, natsOptions *opts);

#endif

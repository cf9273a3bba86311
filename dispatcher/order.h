// SPDX-License-Identifier: Apache-2.0
/* The key of `ordering: key`: the managed entity that an event is about. */
#ifndef VCOURIER_ORDER_H
#define VCOURIER_ORDER_H

#include <stdint.h>

#include "event.h"

/*
 * A hash of vCenter and entity: the virtual machine, else the host, datastore, network, switch,
 * compute resource or datacenter. Events without any of them share one key.
 */
uint64_t order_key(const struct event *ev);

#endif

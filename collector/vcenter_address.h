// SPDX-License-Identifier: Apache-2.0
/* Addresses of vCenters, as in the configuration: a host name or a URL. */
#ifndef VCOURIER_VCENTER_ADDRESS_H
#define VCOURIER_VCENTER_ADDRESS_H

#include <stdbool.h>

#include "buf.h"
#include "config.h"
#include "router_config.h"

/* Writes the whole URL: https:// is added without a scheme, /sdk without a path. */
void vcenter_address_complete(const char *text, struct buf *url);

/*
 * Both name one endpoint, however they are written: without the scheme, the default port, the
 * path /sdk or its last slash; the host in either case. A host name and its IP address differ.
 */
bool vcenter_address_same(const char *a, const char *b);

/* Warns when another entry of the file has the address of this block, which may be NULL. */
void vcenter_address_check(const struct router_config *config, const struct config_node *block,
	struct config_errors *errors);

#endif

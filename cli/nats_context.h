// SPDX-License-Identifier: Apache-2.0
/*
 * The contexts of the `nats` CLI: named settings of a connection.
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-21.md
 *
 * $XDG_CONFIG_HOME/nats/context/NAME.json (default ~/.config); context.txt beside the folder
 * has the name of the selected one.
 */
#ifndef VCOURIER_NATS_CONTEXT_H
#define VCOURIER_NATS_CONTEXT_H

#include <stdbool.h>

#include "bus_options.h"
#include "err.h"

/*
 * Replaces the settings of *bus, which has defaults, by those of the context. ERR_CONFIG: it
 * does not exist (the message lists those that do), is invalid, or needs a nkey or nsc, which
 * vcourier does not support.
 */
int nats_context_read(const char *name, struct bus_config *bus, struct err *err);

/* The same for the text of a context's file. */
int nats_context_parse(const char *text, size_t len, struct bus_config *bus, struct err *err);

/* The name of the selected context, to be freed; NULL: none is selected. */
char *nats_context_selected(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * A NATS header block as it is stored: the line "NATS/1.0", lines "Name: value" and an empty
 * line, each ending in CRLF.
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-4.md
 */
#ifndef VCOURIER_HEADER_BLOCK_H
#define VCOURIER_HEADER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct header_line {              /* slices of the block */
	const char *name, *value; /* value without white space around it; it may be empty */
	size_t name_len, value_len;
};

/*
 * The next header from *p on; begin with *p at the start of a block, which is a string. False
 * at the end. Lines without a colon or without a name are skipped, and so is the first line,
 * which has no colon.
 */
bool header_block_next(const char **p, struct header_line *line);

struct bus_header; /* bus.h */

/*
 * All headers of a block as strings. Their terminating NULs are written into the block, which
 * must live as long as they do. Returns an array that the caller frees, *n long.
 */
struct bus_header *header_block_list(char *block, size_t *n);

#endif

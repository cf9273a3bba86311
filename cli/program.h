// SPDX-License-Identifier: Apache-2.0
/* Runs another program, found in PATH, and waits for it. No shell is involved. */
#ifndef VCOURIER_PROGRAM_H
#define VCOURIER_PROGRAM_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

enum { PROGRAM_OUTPUT_MAX = 1024 * 1024 };

/*
 * argv ends with NULL. Standard output and standard error are appended to out; what does not
 * fit is dropped. The program and all processes of its group are killed after timeout_ms.
 * Returns its exit status; -1 when it cannot be started (ERR_NOT_FOUND: it is not installed),
 * was killed, or took too long.
 */
int program_run(const char *const *argv, struct buf *out, int64_t timeout_ms, struct err *err);

/* The same; any exit status but 0 is an error, with the last line that the program printed. */
int program_succeeds(
	const char *const *argv, struct buf *out, int64_t timeout_ms, struct err *err);

#endif

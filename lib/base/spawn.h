// SPDX-License-Identifier: Apache-2.0
/* Starts another program. */
#ifndef VCOURIER_SPAWN_H
#define VCOURIER_SPAWN_H

#include <sys/types.h>

/*
 * argv ends with NULL; its first word is searched in PATH. The program reads /dev/null, writes
 * to the descriptor out, and its errors to err (-1: to /dev/null). It inherits no other
 * descriptor, leads a process group of its own, and has no signal blocked or ignored. Returns
 * 0, or a number of errno.
 */
int spawn_program(
	pid_t *pid, const char *const *argv, char *const *environment, int out, int err);

#endif

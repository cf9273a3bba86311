// SPDX-License-Identifier: Apache-2.0
/* What podman and systemd do for a function. */
#ifndef VCOURIER_FUNCTION_RUN_H
#define VCOURIER_FUNCTION_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum { FUNCTION_UNIT_SIZE = 320 };
const char *function_run_unit(const char *name, char buf[FUNCTION_UNIT_SIZE]);

/* podman is here, and it is 4.4 or later: its generator reads .container files since then. */
int function_run_check_podman(struct err *err);

/*
 * The IP networks of podman's bridge, which a container gets an address of, separated by
 * blanks: appended to list.
 */
int function_run_networks(struct buf *list, struct err *err);

struct function_image {
	const char *name;  /* with its registry */
	const char *login; /* a file; NULL: none */
	int pull;          /* enum function_pull */
};
/* The image is there afterwards. */
int function_run_pull(const struct function_image *image, struct err *err);
/* Loads an archive of `podman save` or `docker save`. */
int function_run_load(const char *file, struct err *err);

struct function_state {
	bool loaded; /* systemd knows the unit */
	char active[32], sub[32], result[32];
	int64_t restarts, exit_status;
};
/* Of the units of n names. */
int function_run_states(
	const char *const *name, size_t n, struct function_state *state, struct err *err);
bool function_run_is_active(const char *name);

int function_run_reload(struct err *err); /* systemd reads the unit files again */
/* verb: start, restart or stop. */
int function_run_systemctl(const char *verb, const char *name, struct err *err);

/*
 * Waits until the port answers. -1: the function has ended, or does not answer in time.
 */
struct function_wait {
	const char *name;
	int port;
	int64_t timeout_ms;
};
int function_run_wait(const struct function_wait *wait, struct err *err);
/* Prints the last lines of its log to standard error. */
void function_run_show_log(const char *name);

#endif

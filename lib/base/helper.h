// SPDX-License-Identifier: Apache-2.0
/*
 * A helper program that prints something we need (AWS's credential_process). It is started and
 * then checked now and then; nothing waits for it. Its output is a secret: it is kept in memory
 * and wiped afterwards. Its stderr is not read.
 */
#ifndef VCOURIER_HELPER_H
#define VCOURIER_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

enum { HELPER_OUTPUT_MAX = 64 * 1024 };

struct helper {    /* zeroed: none runs */
	pid_t pid; /* 0: none. It leads a process group of its own */
	int out;
	char *text;
	size_t len;
	int64_t deadline_ms; /* on the monotonic clock */
};

/*
 * Runs a command line with /bin/sh; it is killed after timeout_ms. It inherits no descriptor
 * but its output, and of the environment only PATH, HOME, the locale, AWS_*, XDG_*, proxy and
 * certificate variables (helper.c has the list): a command that needs another variable sets it
 * itself, "env NAME=value command".
 */
int helper_start(struct helper *h, const char *command, int64_t timeout_ms, struct err *err);

bool helper_running(const struct helper *h);

enum helper_state {
	HELPER_FAILED = -1, /* exit status, signal, time or too much output; it was ended */
	HELPER_RUNS,
	HELPER_SUCCEEDED, /* until helper_end, h->text[0..len) is its output, NUL-terminated */
};
enum helper_state helper_check(struct helper *h, struct err *err);

/* Kills the program if it runs and wipes its output. Does nothing when none was started. */
void helper_end(struct helper *h);

#endif

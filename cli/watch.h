// SPDX-License-Identifier: Apache-2.0
/*
 * A screen that is drawn again and again. Keys: q ends it, p pauses and resumes it; j, k,
 * space, the cursor and the page keys scroll it. The terminal is restored at the end, also
 * by SIGINT, SIGTERM, SIGHUP, SIGQUIT and, until SIGCONT, SIGTSTP.
 */
#ifndef VCOURIER_WATCH_H
#define VCOURIER_WATCH_H

#include <stdio.h>

/*
 * Draws the present state for a terminal of `width` columns; the result is the exit status so
 * far.
 */
typedef int watch_draw(void *ctx, int width, FILE *out);

/*
 * Calls draw every interval_ms until a key or a signal ends it. Returns the last result of
 * draw; EXIT_USAGE, after an error message, when standard input and output are no terminal.
 * stop_init was called.
 */
int watch_run(watch_draw *draw, void *ctx, int interval_ms);

#endif

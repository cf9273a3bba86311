// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* pipe2 */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static atomic_bool stopping, signalled, reload;
static int terminal = -1; /* the controlling terminal */
static int wake[2] = { -1, -1 };

/* Sent because the terminal is closed: a SIGHUP from `kill` finds it open. */
static bool
is_hangup(void)
{
	struct pollfd p = { .fd = terminal, .events = 0 };

	return terminal >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

static void
on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGHUP && is_hangup()) {
		atomic_store(&signalled, true);
		atomic_store(&stopping, true);
	} else if (sig == SIGHUP) {
		atomic_store(&reload, true);
	} else {
		if (atomic_exchange(&signalled, true))
			_exit(128 + sig);
		atomic_store(&stopping, true);
	}
	/* never drained after a stop: the descriptor stays readable, so every poll sees it */
	if (wake[1] >= 0 && write(wake[1], "!", 1) < 0) {
		/* the pipe is full, so it is readable already */
	}
	errno = saved;
}

void
stop_init(void)
{
	struct sigaction sa;

	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		abort();
	/* nohup(1) has the process survive its terminal */
	if (terminal < 0 && sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
		terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = SA_RESTART;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool
stop_requested(void)
{
	return atomic_load(&stopping);
}

void
stop_request(void)
{
	atomic_store(&stopping, true);
	if (wake[1] >= 0 && write(wake[1], "!", 1) < 0) {
		/* the pipe is full, so it is readable already */
	}
}

static void
drain(void)
{
	char c[16];

	while (read(wake[0], c, sizeof(c)) > 0)
		;
	if (stop_requested()) /* a signal came meanwhile, and its byte is already read */
		stop_request();
}

bool
stop_take_reload(void)
{
	if (!atomic_exchange(&reload, false))
		return false;
	drain();
	return true;
}

void
stop_reset(void)
{
	atomic_store(&stopping, atomic_load(&signalled));
	drain();
	if (atomic_load(&signalled)) /* a signal between the two lines above */
		stop_request();
}

int
stop_fd(void)
{
	return wake[0];
}

bool
stop_sleep(int64_t ms)
{
	int64_t end = clock_monotonic_ms() + ms;

	while (!stop_requested()) {
		int64_t left = end - clock_monotonic_ms();
		struct pollfd p = { .fd = wake[0], .events = POLLIN };

		if (left <= 0)
			return false;
		/*
		 * a stale byte would keep the descriptor readable: the caller handles the stop
		 */
		if (atomic_load(&reload))
			return false;
		poll(&p, 1, left > 60000 ? 60000 : (int)left);
	}
	return true;
}

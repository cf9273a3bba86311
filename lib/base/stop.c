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
static bool on_terminal; /* when it started */
static int wake[2] = { -1, -1 };

/*
 * The kernel sends SIGHUP to the foreground of a terminal that is closed; a shell that ends
 * sends it to its jobs.
 */
static bool
is_hangup(const siginfo_t *info)
{
	return info->si_code == SI_KERNEL ||
		(on_terminal && info->si_code == SI_USER && info->si_pid == getppid());
}

static void
on_signal(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (sig == SIGHUP && is_hangup(info)) {
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
	memset(&sa, 0, sizeof(sa));
	on_terminal = isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
	sa.sa_sigaction = on_signal;
	sa.sa_flags = SA_RESTART | SA_SIGINFO;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_flags = SA_RESTART;
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

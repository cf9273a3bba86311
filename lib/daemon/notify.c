// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

int
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (len == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, len);
	/* an abstract socket: its name starts with NUL and is not terminated */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
	return sent < 0 ? -1 : 0;
}

void
notify_status(const char *text)
{
	static char last[256];
	char state[sizeof(last)];

	snprintf(state, sizeof(state), "STATUS=%s", text);
	state[strcspn(state, "\n")] = '\0';
	if (strcmp(state, last) == 0)
		return;
	memcpy(last, state, sizeof(last));
	notify(state);
}

void
notify_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)clock_monotonic_ms() * 1000);
	notify(state);
}

/* Half of WatchdogSec, or 0 when there is no watchdog for this process. */
static int64_t
watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t n;

	if (usec == NULL || !text_int(usec, 2000, INT64_MAX, &n))
		return 0;
	if (pid != NULL && strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	return n / 2000;
}

void
notify_alive(int64_t now_monotonic_ms)
{
	static int64_t every = -1, last;

	if (every < 0)
		every = watchdog_ms();
	if (every == 0 || (last != 0 && now_monotonic_ms - last < every))
		return;
	last = now_monotonic_ms;
	notify("WATCHDOG=1");
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* pipe2 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "printable.h"
#include "spawn.h"

enum { SHOWN_MAX = 200 };

extern char **environ;

/* Until the end of the output, or the deadline. False: it took too long. */
static bool
read_output(int fd, struct buf *out, int64_t deadline_ms)
{
	char chunk[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	}
}

int
program_run(const char *const *argv, struct buf *out, int64_t timeout_ms, struct err *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	int fds[2], status = 0, rc;
	bool in_time;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "pipe: %s", err_strerror(errno));
	rc = spawn_program(&pid, argv, environ, fds[1], fds[1]);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return err_set(err, rc == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "%s: %s",
			argv[0], rc == ENOENT ? "is not installed" : err_strerror(rc));
	}
	in_time = read_output(fds[0], out, deadline_ms);
	close(fds[0]);
	if (!in_time)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	out->overflow = false;
	if (!in_time)
		return err_set(err, ERR_TIMEOUT, "%s %s took longer than %lld s", argv[0],
			argv[1] != NULL ? argv[1] : "", (long long)(timeout_ms / 1000));
	if (!WIFEXITED(status))
		return err_set(err, ERR_SYSTEM, "%s was killed", argv[0]);
	return WEXITSTATUS(status);
}

/* The last line that is not empty. */
static const char *
last_line(const struct buf *out, size_t *len)
{
	const char *text = buf_str(out), *end = text + out->len, *begin;

	while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	begin = end;
	while (begin > text && begin[-1] != '\n' && begin[-1] != '\r')
		begin--;
	*len = (size_t)(end - begin);
	return begin;
}

int
program_succeeds(const char *const *argv, struct buf *out, int64_t timeout_ms, struct err *err)
{
	int status = program_run(argv, out, timeout_ms, err);
	const char *line;
	struct buf shown;
	size_t n;

	if (status <= 0)
		return status;
	line = last_line(out, &n);
	buf_init(&shown, 4 * SHOWN_MAX);
	printable_add(&shown, line, n < SHOWN_MAX ? n : SHOWN_MAX);
	err_set(err, ERR_SYSTEM, "%s %s: %s", argv[0], argv[1] != NULL ? argv[1] : "",
		shown.len > 0 ? buf_str(&shown) : "failed");
	buf_free(&shown);
	return -1;
}

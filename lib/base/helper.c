// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* pipe2 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "spawn.h"
#include "text.h"

extern char **environ;

/*
 * The variables of our environment that a helper program gets: those of its own tools. It does
 * not get passwords that the configuration takes from the environment.
 */
static const char *const passed[] = { "PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=",
	"TMPDIR=", "TZ=", "LANG=", "LC_", "AWS_", "HTTP_PROXY=", "HTTPS_PROXY=", "ALL_PROXY=",
	"NO_PROXY=", "http_proxy=", "https_proxy=", "all_proxy=", "no_proxy=", "SSL_CERT_FILE=",
	"SSL_CERT_DIR=", "REQUESTS_CA_BUNDLE=", "XDG_", NULL };

/* The caller frees the list; the strings belong to the environment. */
static char **
make_environment(void)
{
	size_t n = 0, count = 0;
	char **list;

	while (environ[n] != NULL)
		n++;
	list = mem_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; passed[k] != NULL; k++)
			if (text_starts(environ[i], passed[k])) {
				list[count++] = environ[i];
				break;
			}
	return list;
}

static int
start(pid_t *pid, const char *command, int fd)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	char **environment = make_environment();
	int rc = spawn_program(pid, argv, environment, fd, -1);

	free(environment);
	return rc;
}

int
helper_start(struct helper *h, const char *command, int64_t timeout_ms, struct err *err)
{
	int fds[2], rc;
	pid_t pid;

	helper_end(h);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "pipe: %s", err_strerror(errno));
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	rc = start(&pid, command, fds[1]);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return err_set(err, ERR_SYSTEM, "/bin/sh: %s", err_strerror(rc));
	}
	*h = (struct helper){ .pid = pid,
		.out = fds[0],
		.text = mem_alloc(HELPER_OUTPUT_MAX + 1),
		.deadline_ms = clock_monotonic_ms() + timeout_ms };
	return 0;
}

bool
helper_running(const struct helper *h)
{
	return h->pid != 0;
}

void
helper_end(struct helper *h)
{
	if (h->pid != 0) {
		kill(-h->pid, SIGKILL);
		while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(h->out);
	}
	if (h->text != NULL)
		mem_wipe(h->text, HELPER_OUTPUT_MAX);
	free(h->text);
	*h = (struct helper){ 0 };
}

static int
fail(struct helper *h, struct err *err, const char *why)
{
	helper_end(h);
	return err_set(err, ERR_SYSTEM, "the helper program %s", why);
}

enum helper_state
helper_check(struct helper *h, struct err *err)
{
	ssize_t n;
	int status;
	pid_t pid;

	while ((n = read(h->out, h->text + h->len, HELPER_OUTPUT_MAX - h->len)) > 0) {
		h->len += (size_t)n;
		if (h->len == HELPER_OUTPUT_MAX)
			return fail(h, err, "printed too much");
	}
	if (clock_monotonic_ms() > h->deadline_ms)
		return fail(h, err, "took too long");
	if (n < 0)
		return errno == EAGAIN || errno == EINTR
			? HELPER_RUNS
			: (enum helper_state)fail(h, err, "cannot be read");
	pid = waitpid(h->pid, &status, WNOHANG);
	if (pid == 0)
		return HELPER_RUNS;
	close(h->out);
	h->pid = 0;
	h->text[h->len] = '\0';
	if (pid < 0 || !WIFEXITED(status))
		return fail(h, err, "died");
	if (WEXITSTATUS(status) == 0)
		return HELPER_SUCCEEDED;
	helper_end(h);
	return err_set(err, ERR_SYSTEM, "the helper program ended with status %d",
		WEXITSTATUS(status));
}

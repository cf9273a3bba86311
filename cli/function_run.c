// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "function_run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "function_site.h"
#include "function_spec.h"
#include "function_unit.h"
#include "json_member.h"
#include "mem.h"
#include "printable.h"
#include "program.h"
#include "text.h"

#define BRIDGE "podman" /* the name of its default network: podman-network(1) */

enum {
	QUICK_MS = 60 * 1000,
	/* TimeoutStartSec of the unit, and a little more */
	START_MS = 920 * 1000,
	PULL_MS = 3600 * 1000,
	LOOK_MS = 200, /* between two looks at the port */
	PODMAN_MAJOR = 4,
	PODMAN_MINOR = 4,
};

const char *
function_run_unit(const char *name, char buf[FUNCTION_UNIT_SIZE])
{
	snprintf(buf, FUNCTION_UNIT_SIZE, FUNCTION_UNIT_PREFIX "%.253s.service", name);
	return buf;
}

static int
run(const char *const *argv, int64_t timeout_ms, struct buf *out, struct err *err)
{
	buf_init(out, PROGRAM_OUTPUT_MAX);
	return program_succeeds(argv, out, timeout_ms, err);
}

static int
run_quietly(const char *const *argv, int64_t timeout_ms, struct err *err)
{
	struct buf out;
	int rc = run(argv, timeout_ms, &out, err);

	buf_free(&out);
	return rc;
}

/* ---- podman */

/* "podman version 5.4.2" */
static bool
read_version(const char *text, long *major, long *minor)
{
	static const char words[] = "podman version ";
	char *end;

	if (!text_starts(text, words))
		return false;
	*major = strtol(text + sizeof(words) - 1, &end, 10);
	if (*end != '.')
		return false;
	*minor = strtol(end + 1, NULL, 10);
	return true;
}

int
function_run_check_podman(struct err *err)
{
	static const char *const argv[] = { "podman", "--version", NULL };
	long major = 0, minor = 0;
	struct buf out;
	int rc;

	rc = run(argv, QUICK_MS, &out, err);
	if (rc != 0 && err->code == ERR_NOT_FOUND)
		err_set(err, ERR_NOT_FOUND, "podman is not installed: apt install podman");
	else if (rc == 0 && !read_version(buf_str(&out), &major, &minor))
		rc = err_set(err, ERR_SYSTEM, "podman --version: no version");
	else if (rc == 0 &&
		(major < PODMAN_MAJOR || (major == PODMAN_MAJOR && minor < PODMAN_MINOR)))
		rc = err_set(err, ERR_SYSTEM,
			"podman %ld.%ld reads no .container files: %d.%d or later is needed (Debian 13 has it)",
			major, minor, PODMAN_MAJOR, PODMAN_MINOR);
	buf_free(&out);
	return rc;
}

/* The reply of `podman network inspect`; warnings may be before it. NULL: none. */
static cJSON *
find_reply(const char *text)
{
	while (!text_starts(text, "[\n") && *text != '\0') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return cJSON_ParseWithOpts(text, NULL, false);
}

int
function_run_networks(struct buf *list, struct err *err)
{
	static const char *const argv[] = { "podman", "network", "inspect", BRIDGE, NULL };
	const cJSON *subnet;
	cJSON *reply;
	size_t n = 0;
	struct buf out;

	if (run(argv, QUICK_MS, &out, err) != 0) {
		buf_free(&out);
		return err_wrap(err, "--egress needs the addresses of podman's network");
	}
	reply = find_reply(buf_str(&out));
	buf_free(&out);
	cJSON_ArrayForEach(subnet, json_member(cJSON_GetArrayItem(reply, 0), "subnets")) {
		const char *text = json_member_text(subnet, "subnet");

		if (function_unit_is_network(text))
			buf_printf(list, "%s%s", n++ > 0 ? " " : "", text);
	}
	cJSON_Delete(reply);
	return n > 0 ? 0
		     : err_set(err, ERR_SYSTEM,
			       "podman network inspect " BRIDGE
			       ": --egress needs a subnet, and there is none");
}

static int
image_exists(const char *name, struct err *err)
{
	const char *const argv[] = { "podman", "image", "exists", name, NULL };
	struct buf out;
	int status;

	buf_init(&out, PROGRAM_OUTPUT_MAX);
	status = program_run(argv, &out, QUICK_MS, err);
	buf_free(&out);
	return status;
}

int
function_run_pull(const struct function_image *image, struct err *err)
{
	const char *argv[8] = { "podman", "pull", "--quiet" };
	size_t n = 3;
	int exists = image_exists(image->name, err);

	if (exists < 0)
		return -1;
	if (exists == 0 && image->pull != FUNCTION_PULL_ALWAYS)
		return 0;
	if (image->pull == FUNCTION_PULL_NEVER)
		return err_set(err, ERR_NOT_FOUND,
			"the image %.200s is not on this machine: --image-file, or another imagePullPolicy",
			image->name);
	if (image->login != NULL) {
		argv[n++] = "--authfile";
		argv[n++] = image->login;
	}
	argv[n++] = image->name;
	argv[n] = NULL;
	return run_quietly(argv, PULL_MS, err);
}

int
function_run_load(const char *file, struct err *err)
{
	const char *const argv[] = { "podman", "load", "--quiet", "--input", file, NULL };
	struct buf out;
	int rc = run(argv, PULL_MS, &out, err);

	if (rc == 0)
		printable_lines(stdout, buf_str(&out), out.len);
	else
		err_wrap(err, "%.120s", file);
	buf_free(&out);
	return rc;
}

/* ---- systemd */

int
function_run_reload(struct err *err)
{
	static const char *const argv[] = { "systemctl", "daemon-reload", NULL };

	return run_quietly(argv, QUICK_MS, err);
}

int
function_run_systemctl(const char *verb, const char *name, struct err *err)
{
	char unit[FUNCTION_UNIT_SIZE];
	const char *const argv[] = { "systemctl", verb, function_run_unit(name, unit), NULL };

	return run_quietly(argv, START_MS, err);
}

bool
function_run_is_active(const char *name)
{
	char unit[FUNCTION_UNIT_SIZE];
	const char *const argv[] = { "systemctl", "is-active", "--quiet",
		function_run_unit(name, unit), NULL };
	struct buf out;
	int status;

	buf_init(&out, PROGRAM_OUTPUT_MAX);
	status = program_run(argv, &out, QUICK_MS, NULL);
	buf_free(&out);
	return status == 0;
}

static void
take(char *to, size_t size, const char *value, size_t len)
{
	snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), value);
}

/* One "Name=value". */
static void
read_property(struct function_state *state, const char *line, size_t len)
{
	size_t name = strcspn(line, "=\n") + 1;
	const char *value = line + name;
	char number[24];
	size_t n;

	if (name >= len)
		return;
	n = len - name;
	take(number, sizeof(number), value, n);
	if (text_starts(line, "LoadState="))
		state->loaded = text_starts(value, "loaded");
	else if (text_starts(line, "ActiveState="))
		take(state->active, sizeof(state->active), value, n);
	else if (text_starts(line, "SubState="))
		take(state->sub, sizeof(state->sub), value, n);
	else if (text_starts(line, "Result="))
		take(state->result, sizeof(state->result), value, n);
	else if (text_starts(line, "NRestarts="))
		text_int(number, 0, INT64_MAX, &state->restarts);
	else if (text_starts(line, "ExecMainStatus="))
		text_int(number, 0, INT64_MAX, &state->exit_status);
}

/* An empty line is between two units, which are in the order of the command line. */
static void
read_states(const char *text, struct function_state *state, size_t n)
{
	for (size_t i = 0; *text != '\0' && i < n;) {
		size_t len = strcspn(text, "\n");

		if (len == 0)
			i++;
		else
			read_property(&state[i], text, len);
		text += len + (text[len] == '\n');
	}
}

int
function_run_states(
	const char *const *name, size_t n, struct function_state *state, struct err *err)
{
	char(*unit)[FUNCTION_UNIT_SIZE] = mem_array(n + 1, sizeof(*unit));
	const char **argv = mem_array(n + 5, sizeof(*argv));
	struct buf out;
	int rc;

	argv[0] = "systemctl";
	argv[1] = "show";
	argv[2] = "--property=LoadState,ActiveState,SubState,NRestarts,Result,ExecMainStatus";
	for (size_t i = 0; i < n; i++)
		argv[3 + i] = function_run_unit(name[i], unit[i]);
	memset(state, 0, n * sizeof(*state));
	rc = run(argv, QUICK_MS, &out, err);
	if (rc == 0)
		read_states(buf_str(&out), state, n);
	buf_free(&out);
	free(argv);
	free(unit);
	return rc;
}

/* ---- waiting */

void
function_run_show_log(const char *name)
{
	char unit[FUNCTION_UNIT_SIZE];
	const char *const argv[] = { "journalctl", "--quiet", "--no-pager", "--output=cat",
		"--lines=10", "--unit", function_run_unit(name, unit), NULL };
	struct buf out;

	if (run(argv, QUICK_MS, &out, NULL) == 0 && out.len > 0) {
		fputs("the last lines of its log:\n", stderr);
		printable_lines(stderr, buf_str(&out), out.len);
	}
	buf_free(&out);
}

static bool
answers(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	/* bounds connect, too: socket(7) */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return ok;
}

/* 1: it answers; 0: not yet; -1: it has ended. *restarts: at the first look, -1 before it. */
static int
look(const struct function_wait *wait, int64_t *restarts, struct err *err)
{
	struct function_state state;
	bool open = answers(wait->port);

	if (function_run_states(&wait->name, 1, &state, err) != 0)
		return -1;
	if (!state.loaded)
		return err_set(err, ERR_SYSTEM,
			"systemd does not know the unit: /usr/libexec/podman/quadlet -dryrun shows why");
	if (*restarts < 0)
		*restarts = state.restarts;
	if (state.restarts > *restarts || strcmp(state.sub, "auto-restart") == 0 ||
		strcmp(state.active, "failed") == 0 || strcmp(state.active, "inactive") == 0)
		return err_set(err, ERR_SYSTEM, "it has ended with status %lld (%s)",
			(long long)state.exit_status, state.result);
	return open && strcmp(state.active, "active") == 0;
}

int
function_run_wait(const struct function_wait *wait, struct err *err)
{
	int64_t deadline = clock_monotonic_ms() + wait->timeout_ms, restarts = -1;
	int found;

	while ((found = look(wait, &restarts, err)) == 0 && clock_monotonic_ms() < deadline)
		poll(NULL, 0, LOOK_MS);
	if (found > 0)
		return 0;
	if (found == 0)
		err_set(err, ERR_TIMEOUT,
			"it runs, but nothing answers on its port within %lld s; the variable PORT says where it must listen",
			(long long)(wait->timeout_ms / 1000));
	return -1;
}

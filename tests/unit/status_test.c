// SPDX-License-Identifier: Apache-2.0
/* The metrics port, asked over a real socket; and what the metrics look like. */
#define _GNU_SOURCE
#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"
#include "metrics.h"
#include "status.h"

static struct status *status;
static char reply[1 << 20];

static int
dial(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/*
 * Sends bytes as they are and reads until the server closes; the status code, 0 when there is
 * none.
 */
static int
ask(const char *bytes, size_t n)
{
	int fd = dial(status_port(status)), code = 0;
	size_t len = 0;
	ssize_t got;

	for (size_t sent = 0; sent < n;) {
		ssize_t s = send(fd, bytes + sent, n - sent, MSG_NOSIGNAL);

		if (s <= 0)
			break;
		sent += (size_t)s;
	}
	while (len < sizeof(reply) - 1 &&
		(got = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
		len += (size_t)got;
	reply[len] = '\0';
	close(fd);
	sscanf(reply, "HTTP/1.1 %d", &code);
	return code;
}

static int
get(const char *path, const char *headers)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	return ask(text, strlen(text));
}

static void
open_status(const char *user, const struct secret *password)
{
	struct status_options options = {
		.bind = "127.0.0.1:0", .user = user, .password = password
	};
	struct err err;

	if (status_open(&status, &options, &err) != 0)
		fail_msg("%s", err.text);
}

static void
probes_tell_how_it_stands(void **state)
{
	(void)state;
	open_status(NULL, NULL);
	assert_int_equal(get("/livez", ""), 200);
	assert_int_equal(get("/healthz", ""), 200);
	assert_int_equal(get("/readyz", ""), 503);
	assert_non_null(strstr(reply, "{\"ready\":false,\"checks\":{}}"));
	status_check("nats", false, "no \"route\"");
	status_check("vcenter", true, "standby");
	assert_false(status_ready());
	assert_int_equal(get("/readyz", ""), 503);
	assert_non_null(strstr(reply,
		"{\"ready\":false,\"checks\":{\"nats\":{\"ok\":false,\"why\":"
		"\"no \\\"route\\\"\"},\"vcenter\":{\"ok\":true,\"why\":\"standby\"}}}"));
	status_check("nats", true, "connected");
	assert_true(status_ready());
	assert_int_equal(get("/readyz", ""), 200);
	status_close(status);
}

static int
send_get(const char *path)
{
	char text[1024];
	int fd = dial(status_port(status));
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
	return fd;
}

static bool
is_answered(int fd, int within_ms)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };

	return poll(&answer, 1, within_ms) > 0;
}

/* A process that starts, and a probe that waits for it. */
static int
open_with_a_probe(void)
{
	struct status_options options = { .bind = "127.0.0.1:0", .start_ms = 60000 };
	struct err err;
	int fd;

	status_check("nats", false, "connecting");
	assert_int_equal(status_open(&status, &options, &err), 0);
	fd = send_get("/readyz");
	assert_false(is_answered(fd, 50));
	return fd;
}

static void
a_probe_waits_for_the_start(void **state)
{
	int fd = open_with_a_probe();

	(void)state;
	status_check("nats", false, "still connecting");
	assert_false(is_answered(fd, 50));
	status_check("nats", true, "connected");
	assert_true(is_answered(fd, 20000));
	assert_true(recv(fd, reply, 16, 0) > 13 && memcmp(reply, "HTTP/1.1 200", 12) == 0);
	close(fd);
	status_check("nats", false, "no route");
	assert_int_equal(get("/readyz", ""), 503);
	status_check("nats", true, "connected");
	status_close(status);
}

static void
a_probe_that_waits_does_not_delay_the_end(void **state)
{
	int fd = open_with_a_probe();

	(void)state;
	status_close(status);
	close(fd);
	status_check("nats", true, "connected");
}

static void
only_what_it_serves(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "PATCH" };
	char text[256];

	(void)state;
	open_status(NULL, NULL);
	assert_int_equal(get("/metrics", ""), 200);
	assert_non_null(strstr(reply, "Content-Type: text/plain; version=0.0.4"));
	assert_int_equal(get("/stats", ""), 404);
	assert_int_equal(get("/../../etc/passwd", ""), 404);
	assert_int_equal(ask("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n", 34), 200);
	for (size_t i = 0; i < COUNT(methods); i++) {
		snprintf(text, sizeof(text),
			"%s /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
			methods[i]);
		assert_int_equal(ask(text, strlen(text)), 405);
	}
	status_close(status);
}

static void
bad_requests_are_bounded(void **state)
{
	static const char body[] =
		"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
	size_t n = 64 * 1024;
	char *big = mem_alloc(n);
	int open[40];

	(void)state;
	open_status(NULL, NULL);
	memset(big, 'a', n);
	memcpy(big, "GET /", 5);
	assert_int_not_equal(ask(big, n), 200);
	memcpy(big, "GET / HTTP/1.1\r\nX: ", 19);
	assert_int_not_equal(ask(big, n), 200);
	assert_int_equal(ask(body, sizeof(body) - 1), 200);
	/*
	 * more than it takes at a time, one of them half way through: the others get their turn
	 */
	for (size_t i = 0; i < COUNT(open); i++)
		open[i] = dial(status_port(status));
	for (size_t i = 0; i < COUNT(open); i++)
		close(open[i]);
	assert_int_equal(get("/livez", ""), 200);
	free(big);
	status_close(status);
}

static void
a_password_keeps_others_out(void **state)
{
	struct secret password = { .value = (char *)"hunter2" };

	(void)state;
	open_status("ops", &password);
	assert_int_equal(get("/metrics", ""), 401);
	assert_non_null(strstr(reply, "WWW-Authenticate: Basic"));
	assert_null(strstr(reply, "process_"));
	assert_int_equal(get("/metrics", "Authorization: Basic b3BzOmh1bnRlcg==\r\n"),
		401); /* ops:hunter */
	assert_int_equal(get("/metrics", "Authorization: Basic b3B6Omh1bnRlcjI=\r\n"),
		401); /* opz:hunter2 */
	assert_int_equal(get("/metrics", "Authorization: Basic ###\r\n"), 401);
	assert_int_equal(get("/metrics", "Authorization: Basic b3BzOmh1bnRlcjI=\r\n"),
		200); /* ops:hunter2 */
	assert_int_equal(get("/livez", ""), 200);
	status_close(status);
}

static void
a_port_in_use_is_said(void **state)
{
	struct status_options options = { 0 };
	struct status *second;
	char bind[32];
	struct err err;

	(void)state;
	open_status(NULL, NULL);
	snprintf(bind, sizeof(bind), "127.0.0.1:%d", status_port(status));
	options.bind = bind;
	assert_int_equal(status_open(&second, &options, &err), -1);
	assert_non_null(strstr(err.text, "in use by another program"));
	options.bind = "nonsense:1";
	assert_int_equal(status_open(&second, &options, &err), -1);
	assert_non_null(strstr(err.text, "not an IP address"));
	status_close(status);
	options.bind = bind;
	assert_int_equal(status_open(&status, &options, &err), 0); /* the port is free again */
	status_close(status);
	options.bind = "[::]:0";
	if (status_open(&status, &options, &err) == 0) /* a machine may have no IPv6 */ {
		assert_int_equal(get("/livez", ""), 200);
		status_close(status);
	}
}

static void *
observe_many(void *m)
{
	for (int i = 0; i < 10000; i++)
		metric_observe(m, 0.25);
	return NULL;
}

static void
metrics_follow_the_text_format(void **state)
{
	static const char *const want[] = {
		"# HELP t_events_total Events.\n# TYPE t_events_total counter\n"
		"t_events_total{result=\"ok\"} 3\nt_events_total{result=\"dead\"} 0\n",
		"# TYPE t_lag_seconds gauge\nt_lag_seconds 1.5\n",
		"# TYPE t_wait_seconds "
		"histogram\nt_wait_seconds_bucket{peer=\"x\",le=\"0.001\"} 1\n",
		"t_wait_seconds_bucket{peer=\"x\",le=\"0.1\"} "
		"1\nt_wait_seconds_bucket{peer=\"x\",le=\"0.25\"} 20001\n",
		"t_wait_seconds_bucket{peer=\"x\",le=\"60\"} "
		"20001\nt_wait_seconds_bucket{peer=\"x\",le=\"+Inf\"} 20002\n"
		"t_wait_seconds_sum{peer=\"x\"} 5100.001\nt_wait_seconds_count{peer=\"x\"} "
		"20002\n",
		"vcourier_log_messages_total{level=\"warn\"} 0\n",
		"process_open_fds ",
		"process_resident_memory_bytes ",
		"process_start_time_seconds ",
	};
	static const struct metric_buckets buckets = { 4, { 0.001, 0.1, 0.25, 60 } };
	struct metric *ok = metric_counter("t_events_total", "result=\"ok\"", "Events."), *wait;
	pthread_t thread[2];
	struct buf out;

	(void)state;
	metric_counter("t_events_total", "result=\"dead\"", "Events.");
	metric_add(ok, 2);
	metric_add(metric_counter("t_events_total", "result=\"ok\"", "Events."), 1);
	assert_int_equal(metric_count(ok), 3);
	metric_set(metric_gauge("t_lag_seconds", "", "Lag."), 1.5);
	wait = metric_histogram("t_wait_seconds", "peer=\"x\"", &buckets, "Wait.");
	metric_observe(wait, 0.001);
	metric_observe(wait, 100);
	for (size_t i = 0; i < COUNT(thread); i++)
		pthread_create(&thread[i], NULL, observe_many, wait);
	for (size_t i = 0; i < COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	buf_init(&out, 1 << 20);
	metrics_render(&out);
	for (size_t i = 0; i < COUNT(want); i++)
		if (strstr(out.data, want[i]) == NULL)
			fail_msg("not there: %s\n%s", want[i], out.data);
	buf_free(&out);
}

static void
each_series_has_the_label_of_the_process(void **state)
{
	static const char *const want[] = {
		"vcourier_build_info{source=\"a \\\"b\\\" c\\\\\",version=",
		"vcourier_log_messages_left_out_total{source=\"a \\\"b\\\" c\\\\\"} 0\n",
		"t_events_total{source=\"a \\\"b\\\" c\\\\\",result=\"ok\"} ",
		"t_wait_seconds_bucket{source=\"a \\\"b\\\" c\\\\\",peer=\"x\",le=\"60\"} ",
		"t_wait_seconds_count{source=\"a \\\"b\\\" c\\\\\",peer=\"x\"} ",
		"process_open_fds{source=\"a \\\"b\\\" c\\\\\"} ",
	};
	struct buf out;

	(void)state;
	metrics_set_label("dispatcher", "an earlier one");
	metrics_set_label("source", "a \"b\"\nc\\");
	buf_init(&out, 1 << 20);
	metrics_render(&out);
	for (size_t i = 0; i < COUNT(want); i++)
		if (strstr(out.data, want[i]) == NULL)
			fail_msg("not there: %s\n%s", want[i], out.data);
	assert_null(strstr(out.data, "dispatcher="));
	buf_free(&out);
}

/* More clients than the port has connections for, none of which finishes its request. */
static void
slow_clients_do_not_take_the_probes(void **state)
{
	enum { SLOW = 100 };
	int fd[SLOW];

	(void)state;
	open_status(NULL, NULL);
	for (int i = 0; i < SLOW; i++) {
		fd[i] = dial(status_port(status));
		assert_true(send(fd[i], "GET /livez HTTP/1.1\r\nX: ", 25, MSG_NOSIGNAL) == 25);
	}
	for (int i = 0; i < 20; i++)
		assert_int_equal(get("/livez", ""), 200);
	for (int i = 0; i < SLOW; i++)
		close(fd[i]);
	status_close(status);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_tell_how_it_stands),
		cmocka_unit_test(a_probe_waits_for_the_start),
		cmocka_unit_test(a_probe_that_waits_does_not_delay_the_end),
		cmocka_unit_test(only_what_it_serves),
		cmocka_unit_test(bad_requests_are_bounded),
		cmocka_unit_test(a_password_keeps_others_out),
		cmocka_unit_test(a_port_in_use_is_said),
		cmocka_unit_test(metrics_follow_the_text_format),
		cmocka_unit_test(each_series_has_the_label_of_the_process),
		cmocka_unit_test(slow_clients_do_not_take_the_probes),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}

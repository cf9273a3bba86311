// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* MHD wants the socket types */
#include "status.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connections.h"
#include "json.h"
#include "listener.h"
#include "mem.h"
#include "metrics.h"
#include "notify.h"
#include "printable.h"
#include "status_http.h"
#include "stop.h"
#include "text.h"

enum {
	REQUEST_BYTES_MAX = 8 * 1024,
	ANSWER_BYTES_MAX = 4 * 1024 * 1024,
	CHECKS_MAX = 8,
	LIVE_MS = 30000,
	SLEEP_MS = 1000,
	CONNECTIONS_MAX = 64,
	CONNECTIONS_KEPT = 48,
	CONNECTION_MS = 5000,
};

struct status {
	struct MHD_Daemon *daemon;
	struct status_options options; /* strings borrowed */
	int port;
	int64_t waits_until_ms; /* an answer of /readyz, see status_options.start_ms */
	bool closing;
	pthread_cond_t changed; /* a check, or closing; with self.lock */
};

/* ---- what the process says of itself: one process, one state */

static struct {
	pthread_mutex_t lock;
	atomic_int_fast64_t beat_ms;
	struct connections *connections; /* NULL before status_open */
	struct status *waiting;          /* its answer waits for a change; NULL: none */
	size_t n;
	struct {
		const char *name;
		bool ok;
		char why[200];
	} check[CHECKS_MAX];
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
status_check(const char *name, bool ok, const char *why)
{
	size_t i;

	pthread_mutex_lock(&self.lock);
	for (i = 0; i < self.n && strcmp(self.check[i].name, name) != 0; i++)
		;
	if (i < CHECKS_MAX) {
		self.n = i == self.n ? i + 1 : self.n;
		self.check[i].name = name;
		self.check[i].ok = ok;
		strncpy(self.check[i].why, why, sizeof(self.check[i].why) - 1);
	}
	if (self.waiting != NULL)
		pthread_cond_signal(&self.waiting->changed);
	pthread_mutex_unlock(&self.lock);
}

static bool
ready_locked(void)
{
	size_t i;

	for (i = 0; i < self.n; i++)
		if (!self.check[i].ok)
			return false;
	return self.n != 0;
}

bool
status_ready(void)
{
	bool ready;

	pthread_mutex_lock(&self.lock);
	ready = ready_locked();
	pthread_mutex_unlock(&self.lock);
	return ready;
}

/* The text for `systemctl status`: ready, or the first check that fails. */
static void
tell_systemd(void)
{
	char text[256] = "starting";
	size_t i;

	pthread_mutex_lock(&self.lock);
	for (i = 0; i < self.n && self.check[i].ok; i++)
		;
	if (i < self.n)
		snprintf(text, sizeof(text), "%s: %s", self.check[i].name, self.check[i].why);
	else if (self.n != 0)
		snprintf(text, sizeof(text), "ready");
	pthread_mutex_unlock(&self.lock);
	notify_status(text);
}

void
status_beat(void)
{
	int64_t now = clock_monotonic_ms();

	if (atomic_exchange(&self.beat_ms, now) / 1000 == now / 1000)
		return;
	notify_alive(now);
	tell_systemd();
	if (self.connections != NULL)
		connections_expire(self.connections, now);
}

bool
status_sleep(int64_t ms)
{
	for (; ms > SLEEP_MS; ms -= SLEEP_MS) {
		status_beat();
		if (stop_sleep(SLEEP_MS))
			return true;
	}
	status_beat();
	return stop_sleep(ms);
}

int64_t
status_beat_age_ms(void)
{
	return clock_monotonic_ms() - atomic_load(&self.beat_ms);
}

bool
status_write(struct buf *out)
{
	bool ready;
	size_t i;

	pthread_mutex_lock(&self.lock);
	ready = ready_locked();
	buf_printf(out, "{\"ready\":%s,\"checks\":{", ready ? "true" : "false");
	for (i = 0; i < self.n; i++) {
		buf_printf(out, "%s\"%s\":{\"ok\":%s,\"why\":", i != 0 ? "," : "",
			self.check[i].name, self.check[i].ok ? "true" : "false");
		printable_add_json_string(out, self.check[i].why, strlen(self.check[i].why));
		buf_add_char(out, '}');
	}
	pthread_mutex_unlock(&self.lock);
	buf_add_str(out, "}}");
	return ready;
}

/* ---- answers */

static void
wait_ready(struct status *s)
{
	int64_t left_ms;

	pthread_mutex_lock(&self.lock);
	self.waiting = s;
	while (!ready_locked() && !s->closing &&
		(left_ms = s->waits_until_ms - clock_monotonic_ms()) > 0)
		clock_cond_wait(&s->changed, &self.lock, left_ms);
	s->waits_until_ms = 0;
	self.waiting = NULL;
	pthread_mutex_unlock(&self.lock);
}

static unsigned
answer_ready(struct status *status, struct buf *out)
{
	bool ready;

	wait_ready(status);
	ready = status_write(out);
	buf_add_char(out, '\n');
	return ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned
answer_live(struct buf *out)
{
	bool live = status_beat_age_ms() < LIVE_MS;

	buf_add_str(out, live ? "ok\n" : "the main loop has not run for 30 s\n");
	return live ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static bool
authorized(const struct status *status, struct MHD_Connection *connection)
{
	char *password = NULL, *user, *want = NULL;
	bool ok = false;

	user = MHD_basic_auth_get_username_password(connection, &password);
	if (user != NULL && password != NULL &&
		secret_read(status->options.password, &want, NULL) == 0) {
		bool same_user = secret_is_same(user, status->options.user);

		ok = secret_is_same(password, want) && same_user;
	}
	mem_free_secret(want);
	MHD_free(user);
	if (password != NULL)
		mem_wipe(password, strlen(password));
	MHD_free(password);
	return ok;
}

static unsigned
route(struct status *status, const char *url, struct buf *out, const char **type)
{
	*type = "text/plain; charset=utf-8";
	if (strcmp(url, "/livez") == 0 || strcmp(url, "/healthz") == 0)
		return answer_live(out);
	if (strcmp(url, "/metrics") == 0) {
		*type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_render(out);
		return MHD_HTTP_OK;
	}
	*type = "application/json";
	if (strcmp(url, "/readyz") == 0)
		return answer_ready(status, out);
	if (strcmp(url, "/stats") == 0 && status->options.stats != NULL) {
		status->options.stats(status->options.stats_ctx, out);
		return MHD_HTTP_OK;
	}
	buf_add_str(out, "{\"error\":\"not found: try /metrics, /livez, /readyz, /stats\"}\n");
	return MHD_HTTP_NOT_FOUND;
}

static enum MHD_Result
send_answer(
	struct MHD_Connection *connection, unsigned code, struct buf *body, const char *type)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	size_t len;
	char *text = buf_take(body, &len);

	response = MHD_create_response_from_buffer(
		len, text != NULL ? text : mem_alloc(1), MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Connection", "close");
	if (code == MHD_HTTP_UNAUTHORIZED)
		result = MHD_queue_basic_auth_fail_response(connection, "vcourier", response);
	else
		result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *body, size_t *body_len, void **request)
{
	struct status *status = ctx;
	bool probe = strcmp(url, "/livez") == 0 || strcmp(url, "/readyz") == 0;
	const char *type = "text/plain";
	unsigned code;
	struct buf out;

	(void)version;
	(void)body;
	(void)body_len;
	(void)request;
	buf_init(&out, ANSWER_BYTES_MAX);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		code = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (status->options.user != NULL && !probe && !authorized(status, connection))
		code = MHD_HTTP_UNAUTHORIZED;
	else
		code = route(status, url, &out, &type);
	if (!buf_ok(&out)) {
		buf_clear(&out);
		code = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	return send_answer(connection, code, &out, type);
}

int
status_open(struct status **status, const struct status_options *options, struct err *err)
{
	struct status *s;
	int fd, port;

	if (listener_open(options->bind, &fd, &port, err) != 0)
		return err_wrap(err, "metrics port %s", options->bind);
	s = mem_alloc(sizeof(*s));
	s->options = *options;
	atomic_store(&self.beat_ms, clock_monotonic_ms());
	s->port = port;
	s->waits_until_ms = clock_monotonic_ms() + options->start_ms;
	clock_cond_init(&s->changed);
	if (self.connections == NULL) /* for as long as the process, as the checks */
		self.connections = connections_open(&(struct connections_limits){
			CONNECTIONS_MAX, CONNECTIONS_KEPT, CONNECTION_MS });
	s->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)REQUEST_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(CONNECTION_MS / 1000), MHD_OPTION_NOTIFY_CONNECTION,
		status_http_connection, self.connections, MHD_OPTION_END);
	/* whether the library has closed fd depends on how far it got */
	if (s->daemon == NULL) {
		pthread_cond_destroy(&s->changed);
		free(s);
		return err_set(err, ERR_SYSTEM,
			"metrics port %s: the HTTP server does not start", options->bind);
	}
	*status = s;
	return 0;
}

void
status_close(struct status *status)
{
	if (status == NULL)
		return;
	pthread_mutex_lock(&self.lock);
	status->closing = true;
	pthread_cond_signal(&status->changed);
	pthread_mutex_unlock(&self.lock);
	MHD_stop_daemon(status->daemon);
	pthread_cond_destroy(&status->changed);
	free(status);
}

int
status_port(const struct status *status)
{
	return status->port;
}

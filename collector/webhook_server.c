// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* MHD wants the socket types */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"
#include "log.h"
#include "mem.h"
#include "status_http.h"
#include "webhook_server_internal.h"

enum {
	REQUEST_BYTES_MAX = 32 * 1024, /* of a connection: its headers, a part of its body */
	BODIES_MAX = 64 * 1024 * 1024, /* of all requests together, or two of the largest */
	MS = 1000,
};

size_t
webhook_server_connections(struct webhook_server *s)
{
	return connections_count(s->connections);
}

/* ---- listeners */

/* fd is closed by the listener that uses it. */
static struct webhook_listener *
listener_start(struct webhook_server *s, int fd, const struct webhook_tls *tls, struct err *err)
{
	struct webhook_listener *l = mem_alloc(sizeof(*l));
	unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem secure[] = { { MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t)STATUS_HTTP_TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL } };
	struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };

	l->server = s;
	if (tls->cert != NULL)
		flags |= MHD_USE_TLS;
	l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, s->on_request, l,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)s->options->max_connections + 16, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)REQUEST_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(s->options->timeout_ms / MS), MHD_OPTION_NOTIFY_CONNECTION,
		status_http_connection, s->connections, MHD_OPTION_NOTIFY_COMPLETED,
		s->on_completed, NULL, MHD_OPTION_ARRAY, tls->cert != NULL ? secure : plain,
		MHD_OPTION_END);
	if (l->daemon != NULL)
		return l;
	/* whether the library has closed fd depends on how far it got */
	free(l);
	err_set(err, ERR_SYSTEM, "the HTTP server does not start");
	return NULL;
}

static void
listener_stop(struct webhook_listener *l)
{
	if (l == NULL)
		return;
	MHD_stop_daemon(l->daemon);
	free(l);
}

/* Another listener with the new certificate; what the old one has begun, it ends. */
static int
rotate(struct webhook_server *s, struct err *err)
{
	struct webhook_listener *next;
	struct webhook_tls tls;
	int fd, old_fd;

	if (webhook_tls_load(&tls, s->options->cert_file, s->options->key_file, err) != 0)
		return -1;
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	next = fd >= 0 ? listener_start(s, fd, &tls, err) : NULL;
	webhook_tls_free(&tls);
	if (next == NULL)
		return fd >= 0 ? -1 : err_set(err, ERR_SYSTEM, "no more file descriptors");
	old_fd = MHD_quiesce_daemon(s->now->daemon);
	if (old_fd >= 0)
		close(old_fd);
	s->now->closing = true;
	s->now->until_ms = clock_monotonic_ms() + s->options->timeout_ms;
	s->old = s->now;
	s->now = next;
	s->fd = fd;
	log_info("webhook: the changed certificate is used",
		L_STR("file", s->options->cert_file));
	return 0;
}

/* The old listener ends when nobody uses it, or after its time. */
static void
end_old(struct webhook_server *s)
{
	const union MHD_DaemonInfo *info;
	bool pending;

	if (s->old == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	pending = s->old->pending > 0;
	pthread_mutex_unlock(&s->lock);
	info = MHD_get_daemon_info(s->old->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	if (pending ||
		(info != NULL && info->num_connections > 0 &&
			clock_monotonic_ms() < s->old->until_ms))
		return;
	listener_stop(s->old);
	s->old = NULL;
}

int
webhook_server_tick(struct webhook_server *s, struct err *err)
{
	connections_expire(s->connections, clock_monotonic_ms());
	end_old(s);
	if (s->options->cert_file == NULL || s->old != NULL || !watched_changed(&s->files))
		return 0;
	return rotate(s, err);
}

static void
init(struct webhook_server *s)
{
	char *more[] = { s->options->key_file, NULL };
	const struct webhook_path *p;

	s->bytes_max = BODIES_MAX;
	for (size_t i = 0; (p = webhook_options_path(s->options, i)) != NULL; i++)
		if (2 * (size_t)p->max_bytes > s->bytes_max)
			s->bytes_max = 2 * (size_t)p->max_bytes;
	s->connections = connections_open(
		&(struct connections_limits){ .max = (size_t)s->options->max_connections + 16,
			.kept = (size_t)s->options->max_connections,
			.ms_max = s->options->timeout_ms });
	if (s->options->cert_file != NULL)
		watched_set(&s->files, s->options->cert_file, more);
	pthread_mutex_init(&s->lock, NULL);
	clock_cond_init(&s->changed);
	STAILQ_INIT(&s->queue);
}

int
webhook_server_open(struct webhook_server **server, const struct webhook_server_config *config,
	struct err *err)
{
	const struct webhook_options *options = config->options;
	struct webhook_server *s = mem_alloc(sizeof(*s));
	struct webhook_tls tls;

	s->options = options;
	s->source = config->source;
	s->on_request = config->on_request;
	s->on_completed = config->on_completed;
	init(s);
	if (webhook_tls_load(&tls, options->cert_file, options->key_file, err) != 0)
		goto fail;
	if (listener_open(options->bind, &s->fd, &s->port, err) != 0) {
		err_wrap(err, "%s", options->bind);
		webhook_tls_free(&tls);
		goto fail;
	}
	s->now = listener_start(s, s->fd, &tls, err);
	webhook_tls_free(&tls);
	if (s->now == NULL)
		goto fail;
	*server = s;
	return 0;
fail:
	webhook_server_close(s);
	return -1;
}

void
webhook_server_close(struct webhook_server *s)
{
	if (s == NULL)
		return;
	webhook_server_set_ready(s, false, 0);
	listener_stop(s->old);
	listener_stop(s->now);
	connections_close(s->connections);
	watched_free(&s->files);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int
webhook_server_port(const struct webhook_server *s)
{
	return s->port;
}

/* ---- the queue */

bool
webhook_server_reserve(struct webhook_request *r, size_t bytes)
{
	struct webhook_server *s = r->listener->server;
	bool fits;

	pthread_mutex_lock(&s->lock);
	fits = bytes <= s->bytes_max - s->bytes;
	if (fits) {
		s->bytes += bytes;
		r->counted += bytes;
	}
	pthread_mutex_unlock(&s->lock);
	return fits;
}

bool
webhook_server_recount(struct webhook_request *r, size_t bytes)
{
	webhook_server_release(r);
	return webhook_server_reserve(r, bytes);
}

void
webhook_server_release(struct webhook_request *r)
{
	struct webhook_server *s = r->listener->server;

	pthread_mutex_lock(&s->lock);
	s->bytes -= r->counted;
	r->counted = 0;
	pthread_mutex_unlock(&s->lock);
}

bool
webhook_server_queue(struct webhook_request *r)
{
	struct webhook_server *s = r->listener->server;
	bool ready;

	pthread_mutex_lock(&s->lock);
	ready = s->ready;
	if (ready) {
		MHD_suspend_connection(r->connection); /* before the loop can resume it */
		STAILQ_INSERT_TAIL(&s->queue, r, link);
		r->listener->pending++;
		pthread_cond_signal(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	return ready;
}

struct webhook_request *
webhook_server_take(struct webhook_server *s, int64_t wait_ms)
{
	struct webhook_request *first;

	pthread_mutex_lock(&s->lock);
	if (STAILQ_EMPTY(&s->queue))
		clock_cond_wait(&s->changed, &s->lock, wait_ms);
	first = STAILQ_FIRST(&s->queue);
	STAILQ_INIT(&s->queue);
	pthread_mutex_unlock(&s->lock);
	return first;
}

struct webhook_request *
webhook_request_next(const struct webhook_request *r)
{
	return STAILQ_NEXT(r, link);
}

const struct webhook_events *
webhook_request_events(const struct webhook_request *r)
{
	return &r->events;
}

void
webhook_server_answer(struct webhook_server *s, struct webhook_request *r, bool stored)
{
	if (stored)
		r->status = r->accepted;
	else {
		r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		err_set(&r->why, ERR_CONNECT, "events cannot be stored now");
	}
	pthread_mutex_lock(&s->lock);
	r->listener->pending--;
	pthread_mutex_unlock(&s->lock);
	MHD_resume_connection(r->connection); /* r may be freed from now on */
}

void
webhook_server_set_ready(struct webhook_server *s, bool ready, size_t message_max)
{
	struct webhook_request *r, *next;

	pthread_mutex_lock(&s->lock);
	s->ready = ready;
	s->message_max = message_max;
	pthread_mutex_unlock(&s->lock);
	if (ready)
		return;
	for (r = webhook_server_take(s, 0); r != NULL; r = next) {
		next = webhook_request_next(r);
		webhook_server_answer(s, r, false);
	}
}

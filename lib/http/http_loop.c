// SPDX-License-Identifier: Apache-2.0
/*
 * Waits for libcurl's sockets and its next timer, wake-ups from other threads and a stop, with
 * one epoll set. So the cost of a turn depends on the number of events, not on the number of
 * transfers.
 *
 * libcurl removes a socket at the end of each transfer and adds it again for the next one.
 * Neither is passed on to the kernel: a socket stays in the set until it becomes readable
 * without a transfer, or is closed.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "stop.h"

enum { EVENTS_AT_ONCE = 128, WAIT_MAX_MS = 60 * 1000 };

/* By descriptor. */
struct http_socket {
	uint32_t wanted;  /* events that libcurl wants */
	uint32_t watched; /* events registered with the kernel; 0: not in the set */
	/*
	 * opened by us: close_socket takes it out of the set; others (of the resolver) leave it
	 * when libcurl says so
	 */
	bool ours;
};

static struct http_socket *
socket_of(struct http *http, int fd)
{
	size_t n = (size_t)fd + 1;

	if (n > http->n_sockets) {
		size_t more = n > 2 * http->n_sockets ? n : 2 * http->n_sockets;

		http->sockets = mem_grow(http->sockets, more, sizeof(*http->sockets));
		memset(http->sockets + http->n_sockets, 0,
			(more - http->n_sockets) * sizeof(*http->sockets));
		http->n_sockets = more;
	}
	return &http->sockets[fd];
}

static void
tell_kernel(struct http *http, int fd, struct http_socket *s)
{
	struct epoll_event event = { .events = s->wanted, .data.fd = fd };
	int op = s->wanted == 0   ? EPOLL_CTL_DEL
		: s->watched != 0 ? EPOLL_CTL_MOD
				  : EPOLL_CTL_ADD;

	if (s->wanted != s->watched)
		epoll_ctl(http->epoll, op, fd, &event);
	s->watched = s->wanted;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket)
{
	struct http *http = ctx;
	struct http_socket *s = socket_of(http, fd);

	(void)easy;
	(void)socket;
	s->wanted = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		s->wanted |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		s->wanted |= EPOLLOUT;
	if ((s->wanted & ~s->watched) != 0 || (s->wanted == 0 && !s->ours))
		tell_kernel(http, fd, s);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *ctx)
{
	struct http *http = ctx;

	(void)multi;
	http->due_ms = ms < 0 ? INT64_MAX : clock_monotonic_ms() + ms;
	return 0;
}

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	*socket_of(ctx, fd) = (struct http_socket){ .ours = true };
	return fd;
}

static int
close_socket(void *ctx, curl_socket_t fd)
{
	struct http_socket *s = socket_of(ctx, fd);

	s->wanted = 0;
	tell_kernel(ctx, fd, s);
	s->ours = false;
	return close(fd);
}

int
http_loop_open(struct http *http, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	http->due_ms = INT64_MAX;
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.fd = http->wake;
	if (http->epoll < 0 || http->wake < 0 ||
		epoll_ctl(http->epoll, EPOLL_CTL_ADD, http->wake, &event) != 0)
		return err_set(err, ERR_SYSTEM, "epoll: %s", err_strerror(errno));
	/*
	 * after a stop its descriptor stays readable: edge-triggered, it wakes the wait once;
	 * level-triggered, the loop would spin
	 */
	event = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.fd = stop_fd() };
	if (stop_fd() >= 0)
		epoll_ctl(http->epoll, EPOLL_CTL_ADD, stop_fd(), &event);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return 0;
}

void
http_loop_close(struct http *http)
{
	if (http->epoll >= 0)
		close(http->epoll);
	if (http->wake >= 0)
		close(http->wake);
	free(http->sockets);
}

void
http_loop_prepare(struct http *http, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
}

static CURLMcode
act(struct http *http, const struct epoll_event *event)
{
	struct http_socket *s;
	uint64_t n;
	int fd = event->data.fd, what = 0, running;

	if (fd == http->wake && read(fd, &n, sizeof(n)) >= 0)
		return CURLM_OK;
	if (fd == http->wake || fd == stop_fd())
		return CURLM_OK;
	s = socket_of(http, fd);
	if ((event->events & (EPOLLIN | EPOLLOUT) & ~s->wanted) != 0 || s->wanted == 0)
		tell_kernel(http, fd, s);
	if (s->wanted == 0)
		return CURLM_OK;
	what |= event->events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	return curl_multi_socket_action(http->multi, fd, what, &running);
}

CURLMcode
http_loop_timers(struct http *http)
{
	int running;

	if (http->due_ms > clock_monotonic_ms())
		return CURLM_OK;
	http->due_ms = INT64_MAX; /* libcurl sets the next timer again */
	return curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

CURLMcode
http_loop_turn(struct http *http, int64_t timeout_ms)
{
	struct epoll_event event[EVENTS_AT_ONCE];
	int64_t until_due = http->due_ms == INT64_MAX ? WAIT_MAX_MS
						      : http->due_ms - clock_monotonic_ms();
	CURLMcode code = CURLM_OK;
	int n;

	if (until_due < timeout_ms)
		timeout_ms = until_due > 0 ? until_due : 0;
	n = epoll_wait(http->epoll, event, EVENTS_AT_ONCE,
		(int)(timeout_ms < WAIT_MAX_MS ? timeout_ms : WAIT_MAX_MS));
	for (int i = 0; i < n && code == CURLM_OK; i++)
		code = act(http, &event[i]);
	return code == CURLM_OK ? http_loop_timers(http) : code;
}

void
http_wakeup(struct http *http)
{
	uint64_t one = 1;

	if (write(http->wake, &one, sizeof(one)) < 0) {
		/* the pipe is full, so it wakes the loop anyway */
	}
}

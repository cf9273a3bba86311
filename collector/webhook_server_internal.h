// SPDX-License-Identifier: Apache-2.0
/* Shared by webhook_server.c, the server, and webhook_http.c, which uses it for a request. */
#ifndef VCOURIER_WEBHOOK_SERVER_INTERNAL_H
#define VCOURIER_WEBHOOK_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "connections.h"
#include "watched.h"
#include "webhook_server.h"
#include "webhook_tls.h"

struct webhook_request {
	STAILQ_ENTRY(webhook_request) link;
	struct webhook_listener *listener;
	struct MHD_Connection *connection;
	const struct webhook_path *path; /* NULL: there is no such path */
	int fd;
	struct buf body;
	size_t counted;    /* bytes of it that are counted in the server */
	size_t discarded;  /* bytes of a body that is not read */
	unsigned status;   /* to answer with; 0: not decided yet */
	unsigned accepted; /* the status once the events are stored */
	struct err why;    /* of the status */
	int64_t begun_ms;  /* when it was complete; 0: not yet */
	struct webhook_events events;
	struct webhook_header header[WEBHOOK_HEADERS_MAX];
	size_t n_headers;
};

STAILQ_HEAD(webhook_queue, webhook_request);

/* One running libmicrohttpd: a changed certificate needs another one, on the same socket. */
struct webhook_listener {
	struct webhook_server *server;
	struct MHD_Daemon *daemon;
	atomic_bool closing; /* it no longer listens: its connections end after their answer */
	size_t pending;      /* requests that were queued and not answered */
	int64_t until_ms;
};

struct webhook_server {
	const struct webhook_options *options;
	const char *source;
	MHD_AccessHandlerCallback on_request;
	MHD_RequestCompletedCallback on_completed;
	struct connections *connections;
	struct watched files;               /* certificate and key */
	struct webhook_listener *now, *old; /* old: NULL, or ends as soon as it can */
	int fd, port;
	size_t bytes_max;
	pthread_mutex_t lock; /* for all below, and for `pending` of listeners */
	pthread_cond_t changed;
	struct webhook_queue queue;
	size_t message_max, bytes;
	bool ready;
};

struct webhook_server_config {
	const struct webhook_options *options;
	const char *source;
	/* called with a struct webhook_listener */
	MHD_AccessHandlerCallback on_request;
	MHD_RequestCompletedCallback on_completed;
};

int webhook_server_open(struct webhook_server **server,
	const struct webhook_server_config *config, struct err *err);

/*
 * Puts a complete request with events into the queue, and its connection to sleep. False:
 * events cannot be stored now.
 */
bool webhook_server_queue(struct webhook_request *request);

/* Counts bytes of a body; false: all bodies together are too large. */
bool webhook_server_reserve(struct webhook_request *request, size_t bytes);

/* Instead of its body: its events, which may have more bytes. False: as above. */
bool webhook_server_recount(struct webhook_request *request, size_t bytes);
void webhook_server_release(struct webhook_request *request);

#endif

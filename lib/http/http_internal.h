// SPDX-License-Identifier: Apache-2.0
/* What the files behind http.h share; nobody else includes it. */
#ifndef VCOURIER_HTTP_INTERNAL_H
#define VCOURIER_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "http.h"
#include "http_proxy.h"

enum {
	HTTP_URL_MAX = 16 * 1024,
	HTTP_REQUEST_HEADERS_MAX = 64 * 1024,
	/* bytes of reply headers, all header blocks of a reply together */
	HTTP_HEADERS_MAX = 64 * 1024,
	HTTP_HEADER_LINES_MAX = 128,   /* headers of a request */
	HTTP_THUMBPRINT_SIZE = 32 * 3, /* colon hex of a SHA-256, NUL included */
};

/* One request and its reply; made once, used again and again. */
struct transfer {
	struct http_request req; /* first: a request is its transfer */
	struct http *http;
	CURL *easy;
	struct transfer *next; /* in the list of idle ones */
	struct transfer *prev_active, *next_active;

	http_on_done *done;
	void *ctx;
	bool plain;              /* the settings are those of a request without TLS */
	bool bad_header;         /* a request header that must not go out */
	bool keep;               /* not recycled after its callback: http_perform's */
	CURLU *url;              /* the handle's, parsed */
	struct buf url_text;     /* the same as it was given; empty: the handle has none */
	struct curl_slist *line; /* of cap_lines */
	size_t cap_lines;
	char error[CURL_ERROR_SIZE];
	bool wrong_thumbprint; /* the peer's certificate was not the pinned one */
	/* why its chain was refused, behind an https:// proxy; NULL: it was not */
	const char *chain_problem;

	const struct http_proxy *proxy;     /* of this request; NULL: none */
	const struct http_proxy *env_proxy; /* what the environment says for this URL: */
	struct buf env_proxy_url;           /* empty: not known */
	struct http_proxy own_proxy;        /* the peer's own, */
	char *own_proxy_text;               /* made of this */

	struct buf body, headers; /* of the reply */
	size_t header_bytes;      /* over all header blocks, 1xx included */
	bool final;               /* the header block of a final status is complete */
	bool headers_cut, body_cut;
	int64_t started_ms;
};

struct http {
	CURLM *multi;
	struct transfer *idle, *active;
	struct transfer *kept; /* of the last http_perform: its body is still on loan */
	size_t in_flight;
	void (*waiting)(void); /* see http_while_waiting */
	int epoll, wake;
	int64_t due_ms; /* libcurl's next timer */
	struct http_socket *sockets;
	size_t n_sockets;
	char date_text[64];           /* the last Date header, */
	int64_t date_us;              /* read */
	const char *ca_file, *ca_dir; /* the system's; NULL: none */
	struct http_environment environment;
	char seen_thumbprint[HTTP_THUMBPRINT_SIZE];
};

/* http_loop.c: from before the first transfer until after the multi handle's end. */
int http_loop_open(struct http *http, struct err *err);
void http_loop_close(struct http *http);
void http_loop_prepare(struct http *http, CURL *easy); /* after each reset of the handle */
/* runs what is due by the clock, and what was submitted */
CURLMcode http_loop_timers(struct http *http);
CURLMcode http_loop_turn(struct http *http, int64_t timeout_ms);

void http_request_prepare(CURL *easy); /* after each reset of the handle */
/* Sets URL, method, headers, body and deadlines of a transfer. */
int http_request_setup(struct transfer *t, struct err *err);

/* Looks where the system keeps its authorities. */
void http_tls_open(struct http *http);

/* Sets the TLS options of a transfer towards its peer. After http_proxy_setup. */
int http_tls_setup(struct transfer *t, struct err *err);

/* Chooses the proxy of a transfer and sets all options about it. After http_request_setup. */
int http_proxy_setup(struct transfer *t, struct err *err);
/*
 * Whether the TLS handshake that begins now is the one with the proxy, not the one with the
 * peer behind it.
 */
bool http_proxy_handshake(const struct transfer *t);
/* Words a failure that the proxy had a part in: which proxy, and what it has to do with it. */
void http_proxy_explain(const struct transfer *t, struct err *why);

/*
 * An IP address, without brackets, as its 16 bytes; an IPv4 address as ::ffff:a.b.c.d. False
 * when it is none.
 */
bool http_url_ip(const char *host, uint8_t ip[16]);
bool http_url_ip_is_v4(const uint8_t ip[16]);

/* The reply's callbacks for libcurl. */
size_t http_reply_header(char *data, size_t size, size_t n, void *transfer);
size_t http_reply_body(char *data, size_t size, size_t n, void *transfer);

/* Fills in the response from what arrived and how the transfer ended. */
void http_reply_finish(struct transfer *t, CURLcode result, struct http_response *rsp);

#endif

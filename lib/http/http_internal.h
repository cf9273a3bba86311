// SPDX-License-Identifier: Apache-2.0
/* Shared by the files behind http.h; no other file includes it. */
#ifndef VCOURIER_HTTP_INTERNAL_H
#define VCOURIER_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <sys/queue.h>

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

/* One request and its reply; allocated once and reused. */
struct transfer {
	struct http_request req; /* first: a request is cast to its transfer */
	struct http *http;
	CURL *easy;
	LIST_ENTRY(transfer) link; /* in the idle or the active ones; not the kept one */

	http_on_done *done;
	void *ctx;
	bool plain;   /* the settings are those of a request without TLS */
	bool spoiled; /* libcurl 8.14.1 of Debian 13 fails all later requests of the handle */
	bool gzip;    /* the handle asks for compressed replies */
	bool bad_header;         /* a request header is invalid */
	bool keep;               /* not recycled after its callback: belongs to http_perform */
	CURLU *url;              /* the handle's, parsed */
	struct buf url_text;     /* the text that `url` was parsed from; empty: none */
	struct curl_slist *line; /* of cap_lines */
	size_t cap_lines;
	char error[CURL_ERROR_SIZE];
	bool wrong_thumbprint; /* the peer's certificate was not the pinned one */
	/* why its chain was refused, behind an https:// proxy; NULL: it was not */
	const char *chain_problem;

	const struct http_proxy *proxy;     /* for this request; NULL: none */
	const struct http_proxy *env_proxy; /* from the environment, for env_proxy_url */
	struct buf env_proxy_url;           /* empty: unknown */
	struct http_proxy own_proxy;        /* the peer's own, parsed from own_proxy_text */
	char *own_proxy_text;

	struct buf body, headers; /* of the reply */
	size_t header_bytes;      /* over all header blocks, 1xx included */
	size_t body_read;         /* of the request, see http_request.once */
	bool final;               /* the header block of a final status is complete */
	bool headers_cut, body_cut;
	int64_t started_ms;
};

struct http {
	CURLM *multi;
	LIST_HEAD(transfers, transfer) idle, active;
	struct transfer
		*kept; /* of the last http_perform: the caller may still read its body */
	size_t in_flight;
	void (*waiting)(void); /* see http_while_waiting */
	int epoll, wake;
	int64_t due_ms; /* libcurl's next timer */
	struct http_socket *sockets;
	size_t n_sockets;
	char date_text[64];           /* the last Date header, as text */
	int64_t date_us;              /* and parsed */
	const char *ca_file, *ca_dir; /* the system's; NULL: none */
	struct http_environment environment;
	char seen_thumbprint[HTTP_THUMBPRINT_SIZE];
};

/* http_loop.c: from before the first transfer until after the multi handle's end. */
int http_loop_open(struct http *http, struct err *err);
void http_loop_close(struct http *http);
void http_loop_prepare(
	struct http *http, CURL *easy); /* Call after each reset of the handle. */
/* Runs due timers and starts submitted requests. */
CURLMcode http_loop_timers(struct http *http);
CURLMcode http_loop_turn(struct http *http, int64_t timeout_ms);

void http_request_prepare(CURL *easy); /* Call after each reset of the handle. */
/* Sets URL, method, headers, body and deadlines of a transfer. */
int http_request_setup(struct transfer *t, struct err *err);

/* Finds the system's CA certificates. */
void http_tls_open(struct http *http);

/* Fills in req.certificate from an OpenSSL X509. (http_certificate.c) */
void http_certificate_fill(struct http_certificate *certificate, void *x509);

/* The colon hex of a digest, NUL-terminated: 3 * len bytes. */
void http_certificate_hex(const unsigned char *digest, unsigned len, char *out);

/* Sets the TLS options of a transfer towards its peer. After http_proxy_setup. */
int http_tls_setup(struct transfer *t, struct err *err);

/* Chooses the proxy of a transfer and sets its options. After http_request_setup. */
int http_proxy_setup(struct transfer *t, struct err *err);
/* Whether the TLS handshake that begins now is with the proxy, not with the peer. */
bool http_proxy_handshake(const struct transfer *t);
/*
 * Extends the error of a transfer that used a proxy: names the proxy and its part in the
 * failure.
 */
void http_proxy_explain(const struct transfer *t, struct err *why);

/*
 * An IP address without brackets, as 16 bytes; an IPv4 address as ::ffff:a.b.c.d. False when it
 * is not an IP address.
 */
bool http_url_ip(const char *host, uint8_t ip[16]);
bool http_url_ip_is_v4(const uint8_t ip[16]);

/* The reply's callbacks for libcurl. */
size_t http_reply_header(char *data, size_t size, size_t n, void *transfer);
size_t http_reply_body(char *data, size_t size, size_t n, void *transfer);

/* Fills in the response from the data that arrived and the result of the transfer. */
void http_reply_finish(struct transfer *t, CURLcode result, struct http_response *rsp);

#endif

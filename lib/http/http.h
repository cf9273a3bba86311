// SPDX-License-Identifier: Apache-2.0
/*
 * All HTTP: one libcurl multi handle, driven by the caller's loop. Connections are kept and
 * reused, HTTP/2 is used over TLS where offered, redirects are never followed, only http and
 * https are allowed, every request has a deadline, and replies are bounded. Not thread-safe
 * except http_wakeup.
 */
#ifndef VCOURIER_HTTP_H
#define VCOURIER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct http;

/*
 * How to reach a peer. Strings are borrowed and must outlive the requests that use them. The
 * TLS settings apply to the peer only: an https:// proxy is always verified, with the system's
 * store and proxy_ca_file, and gets no client certificate.
 */
struct http_peer {
	/* CA certificates beside the system's store, or instead of it (ca_only); pem first */
	const char *ca_file, *ca_pem;
	bool ca_only;
	const char *cert_file, *key_file; /* client certificate */
	const char *cert_pem, *key_pem;   /* the same as PEM text; goes before the files */
	bool insecure; /* neither certificate chain nor host name is checked */
	/*
	 * SHA-256 (or SHA-1: 40 digits) of the leaf certificate, hex; replaces the chain check
	 */
	const char *thumbprint;
	const char *proxy; /* URL, see http_proxy.h; NULL: the environment's; "" none */
	/* CA certificates, beside the system's store, for an https:// proxy */
	const char *proxy_ca_file;
	int64_t connect_timeout_ms; /* 0: 5 s */
	bool no_compression;        /* do not request gzip */
};

/* Called as the body arrives; return false to abort the transfer. */
typedef bool http_on_body(void *ctx, const char *data, size_t len);

struct http_request {
	const char *method; /* NULL: "POST" when there is a body, else "GET" */
	struct buf url;
	struct buf headers; /* lines, each ended by "\n"; http_header adds one */
	/* borrowed until the request is done; or points to own_body.data */
	const char *body;
	size_t body_len;
	struct buf own_body;          /* room to build a body in */
	const struct http_peer *peer; /* NULL: system trust, environment's proxy */
	int64_t timeout_ms;           /* whole request; 0: 30 s */
	bool http1;                   /* no HTTP/2, even if the peer offers it */
	/*
	 * it has a body and must not be sent twice: libcurl repeats a request whose connection
	 * was used before and ends without a reply, although the peer may have taken it
	 */
	bool once;
	/* bytes of the reply that are kept; 0: 64 KiB; more is cut off and marked */
	size_t response_max;
	http_on_body *on_body; /* gets the body, which is then not kept; may be NULL */
	void *on_body_ctx;
	/* http_look_at_certificate: the handshake ends when the certificate is seen */
	struct http_certificate *certificate;
};

struct http_response {
	/*
	 * ERR_NONE: a final status and its headers arrived; else none did (CONNECT, TLS,
	 * TIMEOUT, PROTOCOL). A reply whose body is incomplete is a reply, with body_cut set
	 * and the reason in why.
	 */
	enum err_code error;
	struct err why;   /* text for error */
	int status;       /* 0 when no reply arrived */
	const char *body; /* NUL-terminated; valid in the callback only */
	size_t body_len;
	/* longer than response_max, incomplete, or aborted by on_body */
	bool body_cut;
	const char *headers;    /* lines, ended by "\n", names in lower case; see
				   http_response_header */
	int64_t retry_after_ms; /* Retry-After, seconds or HTTP date; -1 when absent */
	int64_t date_us;        /* the peer's Date header; 0 when absent */
	int64_t duration_ms;
	bool new_connection;
	bool stream_broken; /* only this HTTP/2 request failed: HTTP/1.1 may succeed */
};

int http_open(struct http **http, struct err *err);
void http_close(struct http *http); /* Aborts all transfers without calling their callbacks. */

/* A new request to fill in. Its buffers are empty and keep the memory of earlier use. */
struct http_request *http_request_new(struct http *http);
/* Only for a request that was never submitted. */
void http_request_free(struct http *http, struct http_request *req);

/* Adds "name: value"; CR, LF and NUL in value make the submit fail with ERR_PROTOCOL. */
void http_header(struct http_request *req, const char *name, const char *value);
/*
 * Checks what would make the submit fail whatever the destination: a header with a line break;
 * headers, URL or own_body above their limits. A caller that checks before and after it adds
 * credentials knows which of the two is at fault.
 */
int http_request_check(const struct http_request *req, struct err *err);
/* "Authorization: Basic ..." */
void http_basic_auth(struct http_request *req, const char *user, const char *password);

typedef void http_on_done(void *ctx, const struct http_response *rsp);

/* Starts it and takes ownership of req. done is called from http_run, exactly once. */
int http_submit(struct http *http, struct http_request *req, http_on_done *done, void *ctx,
	struct err *err);

/*
 * Waits up to timeout_ms for an event (a transfer, http_wakeup, a signal of stop.h) and handles
 * it.
 */
int http_run(struct http *http, int64_t timeout_ms, struct err *err);
void http_wakeup(struct http *http); /* from any thread: http_run returns soon */
size_t http_in_flight(const struct http *http);

/* Calls fn at least once a second while http_perform waits; NULL: nothing. */
void http_while_waiting(struct http *http, void (*fn)(void));

/*
 * Sends one request and waits: runs the loop until it is done. Takes ownership of req. The
 * response's body and headers are valid until the next call on this http. Returns -1 (err set)
 * when no HTTP reply arrived, or ERR_STOPPED when a stop was requested meanwhile. (If a stop
 * was requested before the call, the request is sent: a logout.)
 */
int http_perform(struct http *http, struct http_request *req, struct http_response *rsp,
	struct err *err);

/*
 * Resolves a URL reference against an absolute base by RFC 3986, section 5; out is cleared
 * first. False when base or the result is not an http or https URL with a host.
 */
bool http_url_resolve(const char *base, const char *reference, struct buf *out);

/*
 * The host that a request to this URL would be sent to, without user, port and brackets; out is
 * cleared first. False when it is not an http or https URL. Compare this host, never the text
 * of a URL.
 */
bool http_url_host(const char *url, struct buf *out);

/* Whether the URL's host is this machine, by name or address: localhost, 127.0.0.0/8, [::1]. */
bool http_url_is_loopback(const char *url);

/*
 * Copies a reply header's value (name in lower case) to buf; false when the reply does not have
 * it.
 */
bool http_response_header(
	const struct http_response *rsp, const char *name, char *buf, size_t size);

/*
 * Retry-After as RFC 9110 10.2.3 says: delay-seconds or HTTP-date, in milliseconds, at most a
 * century; -1 when it is neither.
 */
int64_t http_parse_retry_after(const char *value, int64_t now_us);

/*
 * SHA-256 (colon hex) of the certificate in the last failed thumbprint check, for error
 * messages; "" if none.
 */
const char *http_seen_thumbprint(const struct http *http);

/* A peer's own certificate, whether it is trusted or not. Texts are the peer's: any bytes. */
struct http_certificate {
	char subject[256], issuer[256];      /* RFC 2253: "CN=vc1.example.com,O=Example" */
	char names[256];                     /* DNS names and IP addresses, ", " between two */
	int64_t not_before_us, not_after_us; /* since 1970; INT64_MIN: not readable */
	char sha256[96];                     /* colon hex, as http_peer.thumbprint takes it */
	bool self_signed;                    /* issued by itself */
};

/*
 * Begins a TLS handshake with the peer of this URL, reads its certificate and ends the
 * handshake: no request is sent, and neither trust nor thumbprint of `peer` are looked at. -1:
 * no certificate came (ERR_USAGE: the URL is not https).
 */
int http_look_at_certificate(struct http *http, const char *url, const struct http_peer *peer,
	struct http_certificate *certificate, struct err *err);

#endif

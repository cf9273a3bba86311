// SPDX-License-Identifier: Apache-2.0
/*
 * What the dispatcher is compared with beside post_loop: a bare relay from a JetStream consumer
 * to a receiver. One thread, the NATS protocol on a socket, a libcurl multi loop, no filter, no
 * retry. It has the dispatcher's bound: an event keeps its slot until a PING that was sent
 * after its ack is answered, so that a kill repeats no more events than there are slots.
 *
 * Usage: relay_loop URL PORT STREAM CONSUMER N CONCURRENCY BOUND; BOUND 0: a slot is free when
 * its ack was written. Prints seconds and seconds of CPU time, from the first event to the last
 * reply. Any answer but 202 ends it.
 */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

enum {
	SLOTS_MAX = 1024,
	QUEUE_MAX = 4096, /* events; a power of two */
	PULL = 128,       /* events of one pull; more are not faster */
	IN_MAX = 4 << 20,
	OUT_MAX = 1 << 20,
	LINE_MAX_BYTES = 4096,
};

struct event {
	char reply[192]; /* where its ack goes */
	char *body;
	size_t len;
};

struct relay {
	const char *pull_subject;
	long n, concurrency;
	bool bound;

	int fd; /* of NATS */
	char *in, *out;
	size_t in_len, out_len;
	bool pinging;

	CURLM *multi;
	CURL *idle[SLOTS_MAX];
	long n_idle;

	struct event queue[QUEUE_MAX];
	size_t first, end;
	long requested, received, in_flight, done;
	long asked, confirmed; /* of the acks, which are `done` */
	double start;
	clock_t cpu;
};

static void
fail(const char *what)
{
	fprintf(stderr, "relay_loop: %s\n", what);
	exit(1);
}

/* ---- NATS */

static void
add(struct relay *r, const char *text, size_t len)
{
	if (len > OUT_MAX - r->out_len)
		fail("too much to write");
	memcpy(r->out + r->out_len, text, len);
	r->out_len += len;
}

static void
flush(struct relay *r)
{
	for (size_t at = 0; at < r->out_len;) {
		ssize_t n = write(r->fd, r->out + at, r->out_len - at);

		if (n > 0)
			at += (size_t)n;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){ .fd = r->fd, .events = POLLOUT }, 1, -1);
		else
			fail("write to NATS");
	}
	r->out_len = 0;
}

static void
connect_to(struct relay *r, int port)
{
	static const char hello[] = "CONNECT {\"verbose\":false,\"headers\":true,"
				    "\"no_responders\":true}\r\nSUB _INBOX.relay 1\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(r->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect to NATS");
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
	add(r, hello, sizeof(hello) - 1);
}

static void
pull(struct relay *r)
{
	char text[512], body[96];
	int len;

	if (r->requested + (long)(r->end - r->first) > PULL)
		return;
	len = snprintf(body, sizeof(body), "{\"batch\":%d,\"expires\":30000000000}", PULL);
	len = snprintf(text, sizeof(text), "PUB %s _INBOX.relay %d\r\n%s\r\n", r->pull_subject,
		len, body);
	add(r, text, (size_t)len);
	r->requested += PULL;
}

static void
ping(struct relay *r)
{
	long not_asked = r->done - r->asked;

	if (!r->bound || r->pinging || not_asked == 0 ||
		(not_asked < r->concurrency / 2 && r->in_flight > 0))
		return;
	add(r, "PING\r\n", 6);
	r->pinging = true;
	r->asked = r->done;
}

/* MSG subject sid [reply] bytes, or HMSG subject sid [reply] bytes-of-headers bytes */
static size_t
take_message(struct relay *r, char *line, const char *payload, size_t len)
{
	bool headers = line[0] == 'H';
	char *word[6];
	int n = 0;
	size_t total, skip;
	struct event *e = &r->queue[r->end % QUEUE_MAX];

	for (char *rest, *w = strtok_r(line, " ", &rest); w != NULL && n < 6;
		w = strtok_r(NULL, " ", &rest))
		word[n++] = w;
	total = strtoul(word[n - 1], NULL, 10);
	skip = headers ? strtoul(word[n - 2], NULL, 10) : 0;
	if (len < total + 2)
		return 0;
	if (n != (headers ? 6 : 5)) /* the end of a pull has no reply subject */
		return total + 2;
	if (r->end - r->first == QUEUE_MAX)
		fail("more events than requested");
	snprintf(e->reply, sizeof(e->reply), "%s", word[3]);
	e->len = total - skip;
	e->body = malloc(e->len + 1);
	memcpy(e->body, payload + skip, e->len);
	if (r->received++ == 0) {
		r->start = loop_now();
		r->cpu = clock();
	}
	r->end++;
	r->requested--;
	return total + 2;
}

/* One line of the server, and what belongs to it. 0: it has not arrived completely. */
static size_t
take_line(struct relay *r, const char *at, size_t len)
{
	const char *end = memmem(at, len, "\r\n", 2);
	size_t line_len = end != NULL ? (size_t)(end - at) : 0, payload;
	char line[LINE_MAX_BYTES];

	if (end == NULL)
		return 0;
	if (line_len >= sizeof(line))
		fail("a long line");
	memcpy(line, at, line_len);
	line[line_len] = '\0';
	if (strncmp(line, "PONG", 4) == 0) {
		r->pinging = false;
		r->confirmed = r->asked;
	} else if (strncmp(line, "PING", 4) == 0) {
		add(r, "PONG\r\n", 6);
	} else if (strncmp(line, "-ERR", 4) == 0) {
		fail(line);
	} else if (strncmp(line, "MSG ", 4) == 0 || strncmp(line, "HMSG ", 5) == 0) {
		payload = take_message(r, line, end + 2, len - line_len - 2);
		return payload != 0 ? line_len + 2 + payload : 0;
	}
	return line_len + 2;
}

static void
receive(struct relay *r)
{
	ssize_t n = read(r->fd, r->in + r->in_len, IN_MAX - r->in_len);
	size_t at = 0, taken;

	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("NATS closed the connection");
	r->in_len += n > 0 ? (size_t)n : 0;
	while ((taken = take_line(r, r->in + at, r->in_len - at)) != 0)
		at += taken;
	memmove(r->in, r->in + at, r->in_len - at);
	r->in_len -= at;
}

/* ---- HTTP */

static void
open_slots(struct relay *r, const char *url, struct curl_slist *headers)
{
	curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, r->concurrency);
	while (r->n_idle < r->concurrency) {
		CURL *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, url);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, loop_discard);
		r->idle[r->n_idle++] = easy;
	}
}

/* True: requests were started. */
static bool
post(struct relay *r)
{
	bool started = false;

	while (r->first != r->end && r->in_flight + r->done - r->confirmed < r->concurrency) {
		CURL *easy = r->idle[--r->n_idle];
		struct event *e = malloc(sizeof(*e));

		*e = r->queue[r->first++ % QUEUE_MAX];
		curl_easy_setopt(easy, CURLOPT_PRIVATE, e);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)e->len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, e->body);
		curl_multi_add_handle(r->multi, easy);
		r->in_flight++;
		started = true;
	}
	return started;
}

static void
ack(struct relay *r, CURL *easy)
{
	struct event *e;
	char text[256];
	long status;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 202)
		fail("not answered with 202");
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&e);
	add(r, text, (size_t)snprintf(text, sizeof(text), "PUB %s 0\r\n\r\n", e->reply));
	free(e->body);
	free(e);
	r->done++;
	r->in_flight--;
	if (!r->bound)
		r->confirmed = r->done;
}

static void
take_replies(struct relay *r)
{
	int running, left;
	CURLMsg *msg;

	curl_multi_perform(r->multi, &running);
	while ((msg = curl_multi_info_read(r->multi, &left)) != NULL) {
		CURL *easy = msg->easy_handle;

		if (msg->data.result != CURLE_OK)
			fail(curl_easy_strerror(msg->data.result));
		ack(r, easy);
		curl_multi_remove_handle(r->multi, easy);
		r->idle[r->n_idle++] = easy;
	}
}

/* ---- both */

static void
turn(struct relay *r)
{
	struct curl_waitfd nats = { .fd = r->fd, .events = CURL_WAIT_POLLIN };
	int running;
	bool wait = true;

	receive(r);
	take_replies(r);
	if (post(r)) {
		curl_multi_perform(r->multi, &running); /* sends them */
		wait = running == r->in_flight;
	}
	pull(r);
	ping(r);
	flush(r);
	if (wait && r->done < r->n)
		curl_multi_poll(r->multi, &nats, 1, 10, NULL);
}

int
main(int argc, char **argv)
{
	static struct relay r;
	struct curl_slist *headers;
	char subject[256];

	if (argc != 8 || atol(argv[6]) < 1 || atol(argv[6]) > SLOTS_MAX)
		return 64;
	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s.%s", argv[3], argv[4]);
	r.pull_subject = subject;
	r.n = atol(argv[5]);
	r.concurrency = atol(argv[6]);
	r.bound = atoi(argv[7]) != 0;
	r.in = malloc(IN_MAX);
	r.out = malloc(OUT_MAX);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r.multi = curl_multi_init();
	headers = curl_slist_append(NULL, "Content-Type: application/cloudevents+json");
	headers = curl_slist_append(headers, "Expect:");
	open_slots(&r, argv[1], headers);
	connect_to(&r, atoi(argv[2]));
	while (r.done < r.n)
		turn(&r);
	printf("%.4f %.4f\n", loop_now() - r.start, loop_cpu(r.cpu));
	while (r.n_idle > 0)
		curl_easy_cleanup(r.idle[--r.n_idle]);
	curl_multi_cleanup(r.multi);
	curl_slist_free_all(headers);
	close(r.fd);
	free(r.in);
	free(r.out);
	return 0;
}

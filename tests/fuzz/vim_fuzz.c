// SPDX-License-Identifier: Apache-2.0
/*
 * Input: letters for the calls to make, a NUL byte, then the replies (fuzz_response) to all
 * requests. Whatever the vCenter answers: a failure has a reason, names end, no reply makes a
 * request that is not XML.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mem.h"
#include "secret.h"
#include "severities.h"
#include "vim_session.h"

enum { CALLS_MAX = 12 };

/* ---- a vCenter in place of HTTP */

static struct fuzz_parts parts;
static struct http *http;

/* Pages on their way, the oldest first. */
static struct page {
	struct http_request *req;
	http_on_done *done;
	void *ctx;
} page[4];
static size_t n_pages;

int __wrap_http_perform(
	struct http *h, struct http_request *req, struct http_response *rsp, struct err *err);
int __wrap_http_submit(struct http *h, struct http_request *req, http_on_done *done, void *ctx,
	struct err *err);
int __wrap_http_run(struct http *h, int64_t timeout_ms, struct err *err);

static void
check_request(const struct http_request *req)
{
	struct soap_reply *request;
	struct err err;

	if (req->body == NULL)
		return;
	assert(soap_parse(&request, req->body, req->body_len, &err) == 0);
	soap_free(request);
	for (size_t i = 0; i < req->headers.len; i++)
		assert(req->headers.data[i] == '\n' || req->headers.data[i] >= ' ' ||
			req->headers.data[i] < 0);
}

int
__wrap_http_perform(
	struct http *h, struct http_request *req, struct http_response *rsp, struct err *err)
{
	check_request(req);
	http_request_free(h, req);
	fuzz_response(&parts, rsp);
	if (rsp->error != ERR_NONE && err != NULL)
		*err = rsp->why;
	return rsp->error == ERR_NONE ? 0 : -1;
}

int
__wrap_http_submit(struct http *h, struct http_request *req, http_on_done *done, void *ctx,
	struct err *err)
{
	(void)h;
	(void)err;
	assert(n_pages < sizeof(page) / sizeof(page[0]));
	check_request(req);
	page[n_pages++] = (struct page){ req, done, ctx };
	return 0;
}

int
__wrap_http_run(struct http *h, int64_t timeout_ms, struct err *err)
{
	struct page first = page[0];
	struct http_request *req = first.req;
	struct http_response rsp;
	size_t piece;

	(void)timeout_ms;
	if (n_pages == 0)
		return 0;
	fuzz_response(&parts, &rsp);
	if (rsp.error != ERR_NONE && strcmp(rsp.body, "poll") == 0)
		return err_set(err, ERR_SYSTEM, "poll");
	memmove(page, page + 1, --n_pages * sizeof(page[0]));
	piece = 1 + rsp.body_len / 3;
	for (size_t at = 0; at < rsp.body_len; at += piece) {
		size_t left = rsp.body_len - at;

		if (!req->on_body(req->on_body_ctx, rsp.body + at, left < piece ? left : piece))
			break;
	}
	first.done(first.ctx, &rsp);
	http_request_free(h, req);
	return 0;
}

/* ---- calls */

static void
note_event(void *n, const struct vim_latest *event)
{
	assert(event->any);
	(*(int *)n)++;
}

static void
note_description(void *severities, const struct vim_description *d)
{
	severities_add(severities, d->name, d->category, d->text);
}

static int
read_severities(struct vim *vim, struct err *err)
{
	struct severities names;
	int rc;

	severities_init(&names);
	rc = vim_event_descriptions(vim, note_description, &names, err);
	assert(severities_of(&names, "", "VmPoweredOnEvent", "VmEvent")[0] != '\0');
	severities_free(&names);
	return rc;
}

static int
read_page(struct vim *vim, char letter, struct vim_collector *c, struct err *err)
{
	struct normalize_page read;
	bool full = false;
	int rc = letter == 'p' ? vim_read_previous(vim, c, &read, err)
			       : vim_read_next(vim, c, &read, &full, err);

	if (rc == 0)
		assert(read.fault == NULL && (read.n == 0 || read.event != NULL) &&
			(!full || read.n + read.n_left_out > 0));
	return rc;
}

static int
call(struct vim *vim, char letter, struct vim_collector *c, struct err *err)
{
	const struct vim_filter filter = { .begin_us = 0, .end_us = INT64_MAX, .type = "<&>" };
	struct vim_access access;
	struct vim_latest latest;
	int64_t us;
	int n = 0, rc;
	bool fresh;

	switch (letter) {
	case 'c':
		rc = vim_connect(vim, &fresh, err);
		assert((rc == 0) == vim_has_session(vim));
		return rc;
	case 't':
		return vim_current_time(vim, &us, err);
	case 'f':
		return vim_create_collector(vim, &filter, c, err);
	case 'r':
		return vim_reset_collector(vim, c, err);
	case 'd':
		vim_destroy_collector(vim, c);
		return 0;
	case 'l':
		return vim_latest_event(vim, &latest, err);
	case 'm':
		rc = vim_latest_page(vim, 3, note_event, &n, err);
		assert(n <= 3);
		return rc;
	case 's':
		return read_severities(vim, err);
	case 'a':
		rc = vim_access(vim, &access, err);
		assert(rc != 0 || memchr(access.missing, '\0', sizeof(access.missing)) != NULL);
		return rc;
	case 'h':
		vim_receive(vim);
		return 0;
	default:
		return read_page(vim, letter, c, err);
	}
}

/* As after a login. */
static void
pretend_session(struct vim *vim)
{
	vim->cookie = mem_strdup("abc");
	memcpy(vim->about.instance_uuid, "u-1", 4);
	memcpy(vim->event_manager, "EventManager", 13);
	memcpy(vim->session_manager, "SessionManager", 15);
	memcpy(vim->property_collector, "propertyCollector", 18);
	memcpy(vim->root_folder, "group-d1", 9);
	memcpy(vim->authorization_manager, "AuthorizationManager", 21);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char secret[] = "p<w";
	static const struct secret password = { .value = secret };
	static const struct vim_options options = { .url = "https://vc.example.com/sdk",
		.user = "u&",
		.password = &password,
		.timeout_ms = 1000,
		.page_size = 2,
		.limits = {
			.page_max = 16 * 1024, .event_max = 16 * 1024, .events_max = 100 } };
	struct vim_collector collector = { "session[1]2" };
	const char *calls;
	struct vim *vim;
	struct err err;

	if (http == NULL && http_open(&http, &err) != 0)
		abort();
	fuzz_parts_init(&parts, data, size);
	vim_open(&vim, http, &options);
	calls = fuzz_part(&parts);
	if (calls[0] != 'c')
		pretend_session(vim);
	for (int i = 0; i < CALLS_MAX && calls[i] != '\0'; i++) {
		err = (struct err){ .code = ERR_NONE };
		if (call(vim, vim_has_session(vim) ? calls[i] : 'c', &collector, &err) != 0)
			assert(err.code != ERR_NONE && err.text[0] != '\0');
		assert(memchr(collector.ref, '\0', sizeof(collector.ref)) != NULL);
	}
	if (vim_has_session(vim))
		assert(vim_about(vim)->instance_uuid[0] != '\0');
	vim_close(vim);
	while (n_pages > 0)
		http_request_free(http, page[--n_pages].req);
	fuzz_parts_free(&parts);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "horizon_api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "horizon_metrics.h"
#include "json.h"
#include "mem.h"
#include "secret.h"
#include "status.h"
#include "text.h"

enum {
	TOKEN_MAX = 16 * 1024,
	JSON_NAMES_MAX = 128,   /* bytes of a request beside its values */
	TOKENS_MAX = 64 * 1024, /* bytes of a reply with tokens */
	URL_MAX_FILTER = 256,
	LOGOUT_TIMEOUT_MS = 3000,
};

struct horizon_api {
	struct http *http;
	const struct horizon_options *options;
	struct http_peer peer;
	char *access_token, *refresh_token; /* NULL: there is no session */
	struct source_clock clock;
};

void
horizon_api_open(
	struct horizon_api **out, struct http *http, const struct horizon_options *options)
{
	struct horizon_api *api = mem_alloc(sizeof(*api));

	api->http = http;
	http_while_waiting(http, status_beat);
	api->options = options;
	source_server_peer(&options->server, &api->peer);
	*out = api;
}

static void
forget_session(struct horizon_api *api)
{
	mem_free_secret(api->access_token);
	mem_free_secret(api->refresh_token);
	api->access_token = api->refresh_token = NULL;
}

void
horizon_api_close(struct horizon_api *api)
{
	if (api == NULL)
		return;
	horizon_api_logout(api);
	free(api);
}

bool
horizon_api_has_session(const struct horizon_api *api)
{
	return api->access_token != NULL;
}

const struct source_clock *
horizon_api_clock(const struct horizon_api *api)
{
	return &api->clock;
}

/* ---- requests */

static struct http_request *
request(struct horizon_api *api, const char *path)
{
	struct http_request *req = http_request_new(api->http);
	size_t len = strlen(api->options->address);

	while (len > 0 && api->options->address[len - 1] == '/')
		len--;
	buf_add(&req->url, api->options->address, len);
	buf_add_str(&req->url, path);
	http_header(req, "Accept", "application/json");
	req->peer = &api->peer;
	req->timeout_ms = api->options->timeout_ms;
	return req;
}

static int
perform(struct horizon_api *api, struct http_request *req, enum horizon_call call,
	struct http_response *rsp, struct err *err)
{
	int64_t asked_ms = clock_monotonic_ms();
	int failed = http_perform(api->http, req, rsp, err);

	horizon_metrics_call(call, failed ? 0 : rsp->status);
	if (failed)
		return -1;
	api->clock = (struct source_clock){ .known = true,
		.shown_us = rsp->date_us != 0 ? rsp->date_us : clock_wall_us(),
		.asked_ms = asked_ms,
		.told_ms = clock_monotonic_ms() };
	return 0;
}

/* Collects a reply that holds tokens: it is wiped after use. */
static bool
on_body(void *ctx, const char *data, size_t len)
{
	struct buf *body = ctx;

	buf_add(body, data, len);
	return buf_ok(body);
}

/* A request with a secret in its JSON text, and the reply. exchange_free wipes both. */
struct exchange {
	struct buf json, body;
	int status;
};

static void
wipe(struct buf *b)
{
	if (b->data != NULL)
		mem_wipe(b->data, b->cap);
	buf_free(b);
}

/* json_max: bytes. The buffers do not grow, so no copies are left in freed memory. */
static void
exchange_init(struct exchange *x, size_t json_max)
{
	*x = (struct exchange){ .status = 0 };
	buf_init(&x->json, json_max);
	buf_room(&x->json, json_max);
	buf_init(&x->body, TOKENS_MAX);
	buf_room(&x->body, TOKENS_MAX);
}

static void
exchange_free(struct exchange *x)
{
	wipe(&x->json);
	wipe(&x->body);
}

static int
post(struct horizon_api *api, const char *path, enum horizon_call call, struct exchange *x,
	struct err *err)
{
	struct http_request *req = request(api, path);
	struct http_response rsp;

	http_header(req, "Content-Type", "application/json");
	req->method = "POST";
	req->once = true;
	req->body = buf_str(&x->json);
	req->body_len = x->json.len;
	req->on_body = on_body;
	req->on_body_ctx = &x->body;
	if (call == HORIZON_LOGOUT)
		req->timeout_ms = LOGOUT_TIMEOUT_MS;
	if (perform(api, req, call, &rsp, err) != 0)
		return -1;
	if (rsp.body_cut && rsp.status / 100 == 2)
		return err_set(err, ERR_PROTOCOL, "the reply broke off or is too large");
	x->status = rsp.status;
	return 0;
}

/* A token goes into a header or a JSON text. NULL: there is none that can be used. */
static char *
take_token(const struct buf *body, const char *name)
{
	const char *p = body->data, *end = body->data + body->len;
	struct buf raw, token;
	char *out = NULL;

	buf_init(&raw, TOKEN_MAX);
	buf_init(&token, TOKEN_MAX);
	buf_room(&raw, TOKEN_MAX);
	buf_room(&token, TOKEN_MAX);
	if (json_skip_value(&p, end) && json_find_member(body->data, body->len, name, &raw) &&
		buf_ok(&raw) && raw.data[0] == '"' &&
		json_decode_string(raw.data, raw.len, &token) && token.len != 0 &&
		!text_has_control(token.data, token.len))
		out = mem_strndup(token.data, token.len);
	wipe(&raw);
	wipe(&token);
	return out;
}

/* ---- the session */

static void
begin_refresh(struct horizon_api *api, struct exchange *x)
{
	exchange_init(x, JSON_ESCAPED_MAX * strlen(api->refresh_token) + JSON_NAMES_MAX);
	buf_add_char(&x->json, '{');
	json_add_member(&x->json, "refresh_token", api->refresh_token);
	buf_add_char(&x->json, '}');
}

void
horizon_api_logout(struct horizon_api *api)
{
	struct exchange x;
	struct err ignored;

	if (api->refresh_token != NULL) {
		begin_refresh(api, &x);
		post(api, "/rest/logout", HORIZON_LOGOUT, &x, &ignored);
		exchange_free(&x);
	}
	forget_session(api);
}

static int
login_reply(struct horizon_api *api, int status, const struct buf *body, struct err *err)
{
	if (status == 400 || status == 401 || status == 403)
		return err_set(err, ERR_AUTH,
			"login: HTTP status %d: Horizon refuses the domain, the user or the password",
			status);
	if (status != 200)
		return err_set(err, ERR_CONNECT, "login: HTTP status %d", status);
	api->access_token = take_token(body, "access_token");
	api->refresh_token = take_token(body, "refresh_token");
	if (api->access_token != NULL && api->refresh_token != NULL)
		return 0;
	forget_session(api);
	return err_set(err, ERR_PROTOCOL,
		"login: the reply is not JSON with access_token and refresh_token");
}

static int
begin_login(const struct horizon_options *o, struct exchange *x, struct err *err)
{
	char *password;

	if (secret_read(&o->password, &password, err) != 0)
		return -1;
	exchange_init(x,
		JSON_ESCAPED_MAX * (strlen(o->domain) + strlen(o->user) + strlen(password)) +
			JSON_NAMES_MAX);
	buf_add_char(&x->json, '{');
	json_add_member(&x->json, "domain", o->domain);
	buf_add_char(&x->json, ',');
	json_add_member(&x->json, "username", o->user);
	buf_add_char(&x->json, ',');
	json_add_member(&x->json, "password", password);
	buf_add_char(&x->json, '}');
	mem_free_secret(password);
	return 0;
}

int
horizon_api_connect(struct horizon_api *api, bool *fresh, struct err *err)
{
	struct exchange x;
	int failed;

	*fresh = false;
	if (api->access_token != NULL)
		return 0;
	if (begin_login(api->options, &x, err) != 0)
		return -1;
	failed = post(api, "/rest/login", HORIZON_LOGIN, &x, err);
	if (!failed)
		failed = login_reply(api, x.status, &x.body, err);
	exchange_free(&x);
	*fresh = !failed;
	return failed;
}

/* Another access token. -1 with ERR_NOT_FOUND: the refresh token has expired, too. */
static int
refresh(struct horizon_api *api, struct err *err)
{
	struct exchange x;
	char *token = NULL;
	int failed;

	begin_refresh(api, &x);
	failed = post(api, "/rest/refresh", HORIZON_REFRESH, &x, err);
	if (!failed && x.status == 200)
		token = take_token(&x.body, "access_token");
	exchange_free(&x);
	if (failed)
		return -1;
	if (token != NULL) {
		mem_free_secret(api->access_token);
		api->access_token = token;
		return 0;
	}
	if (x.status / 100 == 5 || x.status == 429)
		return err_set(err, ERR_CONNECT, "refresh: HTTP status %d", x.status);
	forget_session(api);
	return err_set(err, ERR_NOT_FOUND, "refresh: HTTP status %d: the session has expired",
		x.status);
}

/* ---- events */

/* The filter {"type":"Between",...}, percent-encoded. */
static void
add_query(struct buf *url, const struct horizon_query *q)
{
	static const char digits[] = "0123456789ABCDEF";
	struct buf filter;

	buf_init(&filter, URL_MAX_FILTER);
	buf_printf(&filter,
		"{\"type\":\"Between\",\"fromValue\":%" PRId64
		",\"name\":\"time\",\"toValue\":%" PRId64 "}",
		q->from_ms, q->to_ms);
	buf_printf(url, "?page=%" PRId64 "&size=%" PRId64 "&filter=", q->page, q->size);
	for (size_t i = 0; i < filter.len; i++) {
		unsigned char c = (unsigned char)filter.data[i];

		if (c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z')) {
			buf_add_char(url, (char)c);
		} else {
			buf_add_char(url, '%');
			buf_add_char(url, digits[c >> 4]);
			buf_add_char(url, digits[c & 15]);
		}
	}
	buf_free(&filter);
}

static int
get(struct horizon_api *api, const struct horizon_query *q, struct http_response *rsp,
	struct err *err)
{
	static const char scheme[] = "Bearer ";
	struct http_request *req = request(api, "/rest/external/v1/audit-events");
	struct buf header;

	add_query(&req->url, q);
	buf_init(&header, sizeof(scheme) + TOKEN_MAX);
	buf_room(&header, sizeof(scheme) + strlen(api->access_token));
	buf_printf(&header, "%s%s", scheme, api->access_token);
	http_header(req, "Authorization", buf_str(&header));
	wipe(&header);
	req->response_max = (size_t)api->options->page_max_bytes;
	return perform(api, req, HORIZON_EVENTS, rsp, err);
}

/* Not a page: what its status means. */
static int
bad_status(struct horizon_api *api, int status, struct err *err)
{
	if (status == 401) {
		forget_session(api);
		return err_set(err, ERR_NOT_FOUND, "Horizon refuses a new access token");
	}
	if (status == 403)
		return err_set(err, ERR_FORBIDDEN, "HTTP status 403");
	if (status == 409)
		return err_set(err, ERR_CONNECT,
			"HTTP status 409: Horizon has no event database, or cannot reach it");
	return err_set(err, ERR_CONNECT, "HTTP status %d", status);
}

int
horizon_api_read(struct horizon_api *api, const struct horizon_query *q,
	struct horizon_page *page, bool *more, struct err *err)
{
	struct http_response rsp;
	char text[16] = "";

	if (get(api, q, &rsp, err) != 0)
		return -1;
	if (rsp.status == 401 && (refresh(api, err) != 0 || get(api, q, &rsp, err) != 0))
		return -1;
	if (rsp.status != 200)
		return bad_status(api, rsp.status, err);
	if (rsp.body_cut && rsp.body_len >= (size_t)api->options->page_max_bytes)
		return err_set(err, ERR_LIMIT, "the page has more than %" PRId64 " bytes",
			api->options->page_max_bytes);
	if (rsp.body_cut)
		return err_set(err, ERR_PROTOCOL, "the page broke off: %s", rsp.why.text);
	*more = http_response_header(&rsp, "has_more_records", text, sizeof(text)) &&
		strcasecmp(text, "true") == 0;
	if (horizon_page_parse(page, rsp.body, rsp.body_len, err) != 0)
		return -1;
	/* every span would have to be halved to milliseconds */
	if (*more && page->n + page->damaged == 0)
		return err_set(
			err, ERR_PROTOCOL, "the page is empty, but says that more follows");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "site.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "clock.h"
#include "console.h"
#include "mem.h"
#include "request_check.h"
#include "site_login.h"
#include "text.h"
#include "web_files.h"

struct site {
	struct console *console;
	const struct console_options *options;
	struct sessions *sessions;
	struct site_login *login;
};

struct site *
site_open(struct console *console, const struct console_options *options,
	struct sessions *sessions)
{
	struct site *s = mem_alloc(sizeof(*s));

	s->console = console;
	s->options = options;
	s->sessions = sessions;
	s->login = site_login_open(options, sessions);
	return s;
}

void
site_close(struct site *s)
{
	site_login_close(s->login);
	free(s);
}

void
site_check_users(struct site *s)
{
	site_login_check_users(s->login);
}

/* ---- the files of the page */

static bool
serve_file(const struct server_request *request, struct server_reply *reply)
{
	const char *path = strcmp(request->path, "/") == 0 ? "/index.html" : request->path;
	const char *known = server_header(request, "If-None-Match");

	for (size_t i = 0; i < web_n_files; i++) {
		const struct web_file *f = &web_files[i];

		if (strcmp(f->path, path) != 0)
			continue;
		reply->type = f->type;
		reply->etag = web_etag;
		if (known != NULL && strcmp(known, web_etag) == 0) {
			reply->status = 304;
			return true;
		}
		reply->fixed = f->data;
		reply->fixed_len = f->len;
		return true;
	}
	return false;
}

/* ---- the API */

struct api_path {
	const char *path;
	api_function *run;
	bool changes; /* a POST; with a CSRF token */
	enum role role;
};

static const struct api_path paths[] = {
	{ "/api/status", api_status, false, ROLE_VIEWER },
	{ "/api/live", api_live, false, ROLE_VIEWER },
	{ "/api/events", api_events, false, ROLE_VIEWER },
	{ "/api/event", api_event, false, ROLE_VIEWER },
	{ "/api/names", api_names, false, ROLE_VIEWER },
	{ "/api/dead", api_dead, false, ROLE_VIEWER },
	{ "/api/dead/letter", api_letter, false, ROLE_VIEWER },
	{ "/api/catalogue", api_catalogue, false, ROLE_VIEWER },
	{ "/api/job", api_job, false, ROLE_VIEWER },
	{ "/api/try", api_try, true, ROLE_VIEWER },
	{ "/api/dead/redrive", api_change_letters, true, ROLE_OPERATOR },
	{ "/api/dead/drop", api_change_letters, true, ROLE_OPERATOR },
	{ "/api/replay", api_replay, true, ROLE_OPERATOR },
	{ "/api/job/cancel", api_cancel, true, ROLE_OPERATOR },
};

/* A browser says which page sends a request; one of another site is refused. */
static bool
from_own_page(const struct server_request *request)
{
	const char *site = server_header(request, "Sec-Fetch-Site");

	return (site == NULL || strcmp(site, "same-origin") == 0 ||
		       strcmp(site, "none") == 0) &&
		request_origin_is_ours(server_header(request, "Origin"),
			server_header(request, "Host"), request->https);
}

/* The body of a POST; NULL: the reply says what is wrong. */
static cJSON *
read_body(struct api_call *call)
{
	const struct server_request *r = call->request;
	cJSON *body;

	if (!request_is_json(server_header(r, "Content-Type"))) {
		api_fail(call, 415, "Content-Type must be application/json");
		return NULL;
	}
	body = cJSON_ParseWithLength(r->body, r->body_len);
	if (cJSON_IsObject(body))
		return body;
	cJSON_Delete(body);
	api_fail(call, 400, "the request is not a JSON object");
	return NULL;
}

static void
run(struct api_call *call, const struct api_path *path)
{
	const char *csrf = server_header(call->request, "X-CSRF-Token");
	cJSON *body;

	if (!path->changes) {
		path->run(call);
		return;
	}
	if (csrf == NULL || !sessions_same_token(csrf, call->login->csrf)) {
		api_fail(call, 403, "the request has no valid X-CSRF-Token");
		return;
	}
	body = read_body(call);
	if (body != NULL) {
		call->body = body;
		path->run(call);
	}
	cJSON_Delete(body);
}

static void
handle_api(struct site *s, struct api_call *call)
{
	const struct server_request *r = call->request;
	const struct api_path *path = NULL;
	struct login login;
	char token[TOKEN_SIZE];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && path == NULL; i++)
		if (strcmp(paths[i].path, r->path) == 0)
			path = &paths[i];
	if (path == NULL) {
		api_fail(call, 404, "there is no %.100s", r->path);
	} else if (strcmp(r->method, path->changes ? "POST" : "GET") != 0) {
		api_fail(call, 405, "%s takes %s", path->path, path->changes ? "POST" : "GET");
	} else if (!request_cookie(
			   server_header(r, "Cookie"), SITE_COOKIE, token, sizeof(token)) ||
		!sessions_find(s->sessions, token, clock_monotonic_ms(), &login)) {
		api_fail(call, 401, "log in first");
	} else if (login.role < path->role) {
		api_fail(call, 403, "this needs the role operator");
	} else {
		call->login = &login;
		call->token = token;
		run(call, path);
		call->login = NULL;
		call->token = NULL;
	}
}

void
site_handle(void *site, const struct server_request *request, struct server_reply *reply)
{
	struct site *s = site;
	struct api_call call = { .console = s->console,
		.request = request,
		.reply = reply,
		.sessions = s->sessions };

	if (!request_host_is_ours(server_header(request, "Host"), s->options->hosts)) {
		api_fail(&call, 421,
			"this console has another name; see hosts in its configuration");
	} else if (text_starts(request->path, "/api/")) {
		if (!from_own_page(request))
			api_fail(&call, 403, "the request comes from another site");
		else if (!site_login_handle(s->login, &call))
			handle_api(s, &call);
	} else if (strcmp(request->method, "GET") != 0 &&
		strcmp(request->method, "HEAD") != 0) {
		api_fail(&call, 405, "only GET");
	} else if (!serve_file(request, reply)) {
		api_fail(&call, 404, "there is no such page");
	}
}

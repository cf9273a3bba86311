// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "site_login.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_member.h"
#include "log.h"
#include "login_limit.h"
#include "mem.h"
#include "printable.h"
#include "request_check.h"
#include "text.h"

struct site_login {
	const struct console_options *options;
	struct sessions *sessions;
	pthread_mutex_t lock; /* one password is hashed at a time */
	struct login_limit limit;
};

struct site_login *
site_login_open(const struct console_options *options, struct sessions *sessions)
{
	struct site_login *l = mem_alloc(sizeof(*l));

	l->options = options;
	l->sessions = sessions;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
site_login_close(struct site_login *l)
{
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- answers */

static void
write_login(struct api_call *call, const struct login *login)
{
	struct buf *out = &call->reply->body;

	buf_add_str(out, "{\"user\":");
	printable_add_json_string(out, login->user, strlen(login->user));
	buf_printf(out, ",\"role\":\"%s\",\"csrf\":\"%s\"}", users_role_name(login->role),
		login->csrf);
}

static void
set_cookie(struct api_call *call, const char *token, int64_t lifetime_ms)
{
	snprintf(call->reply->cookie, sizeof(call->reply->cookie),
		SITE_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", token,
		(long long)(lifetime_ms / 1000), call->request->https ? "; Secure" : "");
}

static void
begin(struct site_login *l, struct api_call *call, const struct console_user *user)
{
	int64_t now = clock_monotonic_ms();
	char token[TOKEN_SIZE];
	struct login login;

	if (sessions_begin(l->sessions, user, now, l->options->session_ms, token) != 0 ||
		!sessions_find(l->sessions, token, now, &login)) {
		api_fail(call, 500, "no random numbers");
		return;
	}
	log_info("login", L_STR("user", user->name), L_STR("role", users_role_name(user->role)),
		L_STR("from", call->request->peer));
	set_cookie(call, token, l->options->session_ms);
	write_login(call, &login);
}

/* ---- a password */

static void
check_password(
	struct site_login *l, struct api_call *call, const char *name, const char *password)
{
	const char *peer = call->request->peer;
	struct console_user user;
	struct err err = { .code = ERR_NONE };
	int64_t wait = login_limit_wait(&l->limit, peer, name, clock_monotonic_ms());
	int found;
	bool ok;

	if (wait > 0) {
		api_fail(call, 429, "too many failed logins; wait %lld s",
			(long long)((wait + 999) / 1000));
		call->reply->retry_after_s = (int)((wait + 999) / 1000);
		return;
	}
	found = l->options->users_file != NULL
		? users_read(l->options->users_file, name, &user, &err)
		: 0;
	if (found < 0)
		log_error("the users file cannot be used", L_ERR(&err));
	ok = users_verify(found > 0 ? &user : NULL, password) && found > 0;
	login_limit_ended(&l->limit, peer, name, ok, clock_monotonic_ms());
	if (ok) {
		begin(l, call, &user);
		return;
	}
	log_warn("login refused", L_STR("user", name), L_STR("from", peer));
	api_fail(call, 401, "the name or the password is wrong");
}

static void
login(struct site_login *l, struct api_call *call)
{
	const struct server_request *r = call->request;
	const char *name, *password;
	cJSON *body;

	if (!request_is_json(server_header(r, "Content-Type"))) {
		api_fail(call, 415, "Content-Type must be application/json");
		return;
	}
	body = cJSON_ParseWithLength(r->body, r->body_len);
	name = json_member_string(body, "user");
	password = json_member_string(body, "password");
	if (name == NULL || password == NULL || *name == '\0' || strlen(name) > USER_NAME_MAX) {
		api_fail(call, 400, "user and password are required");
	} else {
		pthread_mutex_lock(&l->lock);
		check_password(l, call, name, password);
		pthread_mutex_unlock(&l->lock);
	}
	if (password != NULL)
		mem_wipe((char *)(uintptr_t)password, strlen(password));
	cJSON_Delete(body);
}

/* ---- a proxy */

/* The user that a proxy names; NULL: the request is not from it. */
static const char *
proxy_user(const struct site_login *l, const struct server_request *r)
{
	const char *name = l->options->proxy.header != NULL
		? server_header(r, l->options->proxy.header)
		: NULL;
	char **from = l->options->proxy.from;

	if (name == NULL || *name == '\0' || strlen(name) > USER_NAME_MAX ||
		text_has_control(name, strlen(name)) ||
		text_utf8_valid(name, strlen(name)) != strlen(name))
		return NULL;
	for (size_t i = 0; from != NULL && from[i] != NULL; i++)
		if (strcmp(from[i], r->peer) == 0)
			return name;
	return NULL;
}

static void
login_by_proxy(struct site_login *l, struct api_call *call, const char *name)
{
	struct console_user user = { .role = ROLE_NONE };
	struct err err;
	int found = l->options->users_file != NULL
		? users_read(l->options->users_file, name, &user, &err)
		: 0;

	if (found < 0)
		log_error("the users file cannot be used", L_ERR(&err));
	if (found == 0 && l->options->proxy.role == PROXY_ROLE_VIEWER) {
		snprintf(user.name, sizeof(user.name), "%s", name);
		user.role = ROLE_VIEWER;
	}
	if (user.role == ROLE_NONE)
		api_fail(call, 403, "user %.64s has no role here", name);
	else
		begin(l, call, &user);
}

/* ---- paths */

static void
session(struct site_login *l, struct api_call *call)
{
	const char *proxied = proxy_user(l, call->request);
	char token[TOKEN_SIZE];
	struct login login;

	if (request_cookie(server_header(call->request, "Cookie"), SITE_COOKIE, token,
		    sizeof(token)) &&
		sessions_find(l->sessions, token, clock_monotonic_ms(), &login) &&
		(proxied == NULL || strcmp(proxied, login.user) == 0))
		write_login(call, &login);
	else if (proxied != NULL)
		login_by_proxy(l, call, proxied);
	else
		api_fail(call, 401, "log in first");
}

static void
logout(struct site_login *l, struct api_call *call)
{
	char token[TOKEN_SIZE];

	if (request_cookie(
		    server_header(call->request, "Cookie"), SITE_COOKIE, token, sizeof(token)))
		sessions_end(l->sessions, token);
	set_cookie(call, "", 0);
	buf_add_str(&call->reply->body, "{}");
}

bool
site_login_handle(struct site_login *l, struct api_call *call)
{
	static const struct {
		const char *path, *method;
		void (*run)(struct site_login *l, struct api_call *call);
	} paths[] = { { "/api/session", "GET", session }, { "/api/login", "POST", login },
		{ "/api/logout", "POST", logout } };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(paths[i].path, call->request->path) != 0)
			continue;
		if (strcmp(paths[i].method, call->request->method) == 0)
			paths[i].run(l, call);
		else
			api_fail(call, 405, "%s takes %s", paths[i].path, paths[i].method);
		return true;
	}
	return false;
}

/* ---- the users file changes */

static bool
is_as_before(const struct console_user *before, void *login)
{
	const struct site_login *l = login;
	struct console_user now;
	struct err err;
	int found = users_read(l->options->users_file, before->name, &now, &err);

	/* an unreadable file decides nothing; a viewer named by the proxy has no hash */
	return found < 0 || (found == 0 && before->hash[0] == '\0') ||
		(found > 0 && now.role == before->role && strcmp(now.hash, before->hash) == 0);
}

void
site_login_check_users(struct site_login *l)
{
	if (l->options->users_file != NULL)
		sessions_keep(l->sessions, is_as_before, l);
}

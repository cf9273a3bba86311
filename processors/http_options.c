// SPDX-License-Identifier: Apache-2.0
#include "http_options.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

/* Kubernetes writes changed secrets and tokens into running pods about once a minute. */
enum { RELOAD_MS = 60 * 1000 };

static const char *const auth_types[] = { "none", "basic_auth", "bearer", NULL };

static const struct config_field basic_fields[] = {
	{ "username", CONFIG_STRING, offsetof(struct http_basic, username),
		.help = "User name." },
	{ "password", CONFIG_SECRET, offsetof(struct http_basic, password),
		.help = "Password." },
	{ NULL },
};

static const struct config_field bearer_fields[] = {
	{ "token", CONFIG_SECRET, offsetof(struct http_bearer, token),
		.help = "Token, sent as `Authorization: Bearer`." },
	{ NULL },
};

const struct config_field http_auth_fields[] = {
	{ "type", CONFIG_ENUM, offsetof(struct http_auth_options, type), .def = "none",
		.choices = auth_types, .help = "The method; its block is required, too." },
	{ "basicAuth", CONFIG_OBJECT, offsetof(struct http_auth_options, basic),
		.fields = basic_fields, .help = "User name and password, for `basic_auth`." },
	{ "bearer", CONFIG_OBJECT, offsetof(struct http_auth_options, bearer),
		.fields = bearer_fields, .help = "Token, for `bearer`." },
	{ NULL },
};

static int
check_auth(const struct http_auth_options *auth, struct err *err)
{
	bool basic = auth->basic.username != NULL || secret_is_set(&auth->basic.password);
	bool bearer = secret_is_set(&auth->bearer.token);

	if (basic && auth->type != HTTP_AUTH_BASIC)
		return err_set(err, ERR_CONFIG, "auth.basicAuth needs auth.type basic_auth");
	if (bearer && auth->type != HTTP_AUTH_BEARER)
		return err_set(err, ERR_CONFIG, "auth.bearer needs auth.type bearer");
	if (auth->type == HTTP_AUTH_BASIC && auth->basic.username == NULL)
		return err_set(err, ERR_CONFIG, "auth.basicAuth.username is missing");
	if (auth->type == HTTP_AUTH_BASIC && strchr(auth->basic.username, ':') != NULL)
		return err_set(
			err, ERR_CONFIG, "auth.basicAuth.username must not hold a colon");
	if (auth->type == HTTP_AUTH_BASIC && !secret_is_set(&auth->basic.password))
		return err_set(err, ERR_CONFIG,
			"auth.basicAuth.password (or passwordFile) is missing");
	if (auth->type == HTTP_AUTH_BEARER && !bearer)
		return err_set(err, ERR_CONFIG, "auth.bearer.token (or tokenFile) is missing");
	return 0;
}

int
http_options_check(const struct http_options *options, struct err *err)
{
	if ((options->cert_file == NULL) != (options->key_file == NULL))
		return err_set(err, ERR_CONFIG, "certFile and keyFile are needed together");
	return check_auth(&options->auth, err);
}

void
http_options_peer(const struct http_options *options, struct http_peer *peer)
{
	*peer = (struct http_peer){
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.insecure = options->insecure,
		.proxy = options->proxy,
		.proxy_ca_file = options->proxy_ca_file,
	};
}

void
http_auth_init(struct http_auth *auth, const struct http_auth_options *options)
{
	*auth = (struct http_auth){ .options = options };
}

void
http_auth_free(struct http_auth *auth)
{
	mem_free_secret(auth->secret);
	auth->secret = NULL;
}

static const struct secret *
secret_of(const struct http_auth *auth)
{
	switch (auth->options->type) {
	case HTTP_AUTH_BASIC:
		return &auth->options->basic.password;
	case HTTP_AUTH_BEARER:
		return &auth->options->bearer.token;
	default:
		return NULL;
	}
}

/* A file that is read while it is written may be empty or incomplete. */
int
http_credential_check(const char *secret, const char *what, struct err *err)
{
	size_t n = strlen(secret);

	if (n > HTTP_CREDENTIAL_MAX)
		return err_set(err, ERR_CONFIG,
			"%s: %zu bytes, more than the %d that fit a request", what, n,
			HTTP_CREDENTIAL_MAX);
	if (n == 0 || text_has_control(secret, n))
		return err_set(err, ERR_CONFIG, "%s: empty, or with control characters", what);
	return 0;
}

int
http_auth_check(const struct http_request *req, struct err *err)
{
	if (http_request_check(req, err) == 0)
		return 0;
	err_wrap(err, "credentials");
	err->code = ERR_AUTH;
	return -1;
}

int
http_auth_load(struct http_auth *auth, struct err *err)
{
	const struct secret *secret = secret_of(auth);
	char *value;

	if (secret == NULL)
		return 0;
	if (secret_read(secret, &value, err) != 0)
		return -1;
	if (http_credential_check(value,
		    secret->file != NULL ? secret->file : "password or token", err) != 0) {
		mem_free_secret(value);
		return -1;
	}
	http_auth_free(auth);
	auth->secret = value;
	return 0;
}

int64_t
http_auth_interval_ms(void *auth)
{
	const struct secret *secret = secret_of(auth);

	return secret != NULL && secret->file != NULL ? RELOAD_MS : 0;
}

enum refresh_step
http_auth_request(void *auth, unsigned step, struct http_request *req, struct err *err)
{
	(void)step;
	(void)req;
	return http_auth_load(auth, err) == 0 ? REFRESH_NOTHING : REFRESH_ERROR;
}

void
http_auth_add(const struct http_auth *auth, struct http_request *req)
{
	if (auth->secret == NULL)
		return;
	if (auth->options->type == HTTP_AUTH_BASIC) {
		http_basic_auth(req, auth->options->basic.username, auth->secret);
	} else {
		http_auth_bearer(req, auth->secret);
	}
}

void
http_auth_bearer(struct http_request *req, const char *token)
{
	buf_add_str(&req->headers, "Authorization: Bearer ");
	buf_add_str(&req->headers, token);
	buf_add_char(&req->headers, '\n');
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The sources of credentials other than STS: static keys, a helper program, container and
 * instance metadata.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "aws_credentials.h"
#include "aws_reply.h"
#include "clock.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"

enum {
	PROCESS_MS = 60 * 1000,
	CONTAINER_MS = 2 * 1000,
	/* in a container the hop limit of 1 causes silence: do not wait long */
	IMDS_MS = 1000,
	IMDS_TOKEN_S = 21600,
	STALE_MINUTES = 10,
	HOST_MAX = 256,
};

#define IMDS_ROLES "/latest/meta-data/iam/security-credentials/"

/* ---- {"AccessKeyId": ...} */

static const char *
member(const cJSON *root, const char *name)
{
	const char *text = json_member_string(root, name);

	return text != NULL && *text != '\0' ? text : NULL;
}

static int
read_keys(struct aws_keys *keys, const cJSON *root, const char *what, struct err *err)
{
	const char *access_key = member(root, "AccessKeyId"),
		   *secret_key = member(root, "SecretAccessKey"),
		   *token = member(root, "Token"), *expires = member(root, "Expiration");
	const char *code = member(root, "Code"), *message = member(root, "Message");
	int64_t expires_us = 0;

	if (!cJSON_IsObject(root))
		return err_set(err, ERR_PROTOCOL, "%s is not a JSON object", what);
	if ((access_key == NULL || secret_key == NULL) && code != NULL)
		return err_set(err, ERR_AUTH, "%s: %.60s: %.120s", what, code,
			message ? message : "no keys");
	if (access_key == NULL || secret_key == NULL)
		return err_set(err, ERR_PROTOCOL, "%s has no %s", what,
			access_key ? "SecretAccessKey" : "AccessKeyId");
	if (expires != NULL && !clock_parse(expires, strlen(expires), &expires_us))
		return err_set(err, ERR_PROTOCOL, "%s: Expiration is not a time", what);
	if (token == NULL)
		token = member(root, "SessionToken");
	*keys = (struct aws_keys){ .access_key = mem_strdup(access_key),
		.secret_key = mem_strdup(secret_key),
		.token = mem_strdup(token),
		.expires_us = expires_us };
	return 0;
}

int
aws_keys_from_json(
	struct aws_keys *keys, const char *json, size_t len, const char *what, struct err *err)
{
	cJSON *root = cJSON_ParseWithLength(json, len);
	int rc = read_keys(keys, root, what, err);

	cJSON_Delete(root);
	return rc;
}

/* ---- credential_process */

static enum refresh_step
look_at_process(struct aws_credentials *c, const struct aws_stage *stage, struct err *err)
{
	enum helper_state state;
	cJSON *root;
	int rc;

	if (!helper_running(&c->helper))
		return helper_start(&c->helper, stage->text, PROCESS_MS, err) == 0
			? REFRESH_WAIT
			: REFRESH_ERROR;
	state = helper_check(&c->helper, err);
	if (state != HELPER_SUCCEEDED)
		return state == HELPER_RUNS ? REFRESH_WAIT : REFRESH_ERROR;
	root = cJSON_ParseWithLength(c->helper.text, c->helper.len);
	if (cJSON_GetNumberValue(json_member(root, "Version")) != 1)
		rc = err_set(err, ERR_PROTOCOL,
			"its output is not a JSON object with \"Version\": 1");
	else
		rc = read_keys(&c->next, root, "its output", err);
	cJSON_Delete(root);
	helper_end(&c->helper);
	return rc == 0 ? REFRESH_NOTHING : REFRESH_ERROR;
}

/* ---- containers */

/* http is allowed only within this machine, and to the link-local addresses of ECS and EKS. */
static bool
is_allowed(const char *url)
{
	static const char *const hosts[] = { "169.254.170.2", "169.254.170.23",
		"fd00:ec2::23" };
	struct buf host;
	bool allowed;

	buf_init(&host, HOST_MAX);
	allowed = http_url_host(url, &host);
	if (allowed && strncasecmp(url, "https:", 6) != 0 && !http_url_is_loopback(url)) {
		allowed = false;
		for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
			allowed = allowed || strcmp(buf_str(&host), hosts[i]) == 0;
	}
	buf_free(&host);
	return allowed;
}

static enum refresh_step
container_request(struct aws_credentials *c, const struct aws_stage *stage,
	struct http_request *req, struct err *err)
{
	struct secret token = { .value = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
		.file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") };
	char *text = NULL;

	if (!is_allowed(stage->text))
		return err_set(err, ERR_CONFIG,
			"the URL in AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor a "
			"loopback, ECS or EKS address");
	if (token.file != NULL)
		token.value = NULL; /* the file has precedence */
	if (secret_is_set(&token) && secret_read(&token, &text, err) != 0)
		return REFRESH_ERROR;
	if (text != NULL && strpbrk(text, "\r\n") != NULL) {
		mem_free_secret(text);
		return err_set(err, ERR_CONFIG, "the authorization token has a line break");
	}
	if (text != NULL)
		http_header(req, "Authorization", text);
	mem_free_secret(text);
	http_header(req, "Accept", "application/json");
	buf_add_str(&req->url, stage->text);
	req->peer = &c->direct;
	req->timeout_ms = CONTAINER_MS;
	return REFRESH_SEND;
}

static enum refresh_result
container_response(struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	if (rsp->status != 200) {
		err_set(err, ERR_AUTH, "HTTP %d", rsp->status);
		return REFRESH_FAILED;
	}
	return aws_keys_from_json(&c->next, rsp->body, rsp->body_len, "the reply", err) == 0
		? REFRESH_DONE
		: REFRESH_FAILED;
}

/* ---- EC2 instance metadata, version 2: a token, the role's name, its keys */

static enum refresh_step
imds_request(struct aws_credentials *c, const struct aws_stage *stage, struct http_request *req)
{
	char ttl[16];
	size_t len = strlen(stage->text);

	buf_add(&req->url, stage->text, len - (len > 0 && stage->text[len - 1] == '/'));
	req->peer = &c->direct;
	req->timeout_ms = IMDS_MS;
	if (c->part == 0) {
		req->method = "PUT";
		buf_add_str(&req->url, "/latest/api/token");
		snprintf(ttl, sizeof(ttl), "%d", IMDS_TOKEN_S);
		http_header(req, "x-aws-ec2-metadata-token-ttl-seconds", ttl);
		return REFRESH_SEND;
	}
	buf_add_str(&req->url, IMDS_ROLES);
	if (c->part == 2)
		buf_add_str(&req->url, c->imds_role);
	http_header(req, "x-aws-ec2-metadata-token", c->imds_token);
	return REFRESH_SEND;
}

/*
 * The first line of a short text; NULL if it has characters that are not allowed in a header or
 * a path.
 */
static char *
plain_line(const struct http_response *rsp)
{
	size_t n = strcspn(rsp->body, "\r\n");

	if (n == 0 || n > 1024)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)rsp->body[i] <= ' ' || (unsigned char)rsp->body[i] >= 0x7f)
			return NULL;
	return mem_strndup(rsp->body, n);
}

static enum refresh_result
imds_keys(struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	int64_t now = clock_wall_us();

	if (aws_keys_from_json(&c->next, rsp->body, rsp->body_len, "the reply", err) != 0)
		return REFRESH_FAILED;
	/*
	 * Static stability: when the service cannot renew the keys it returns the old ones, and
	 * AWS accepts them.
	 */
	if (c->next.expires_us != 0 && c->next.expires_us < now)
		c->next.expires_us = now + STALE_MINUTES * INT64_C(60000000);
	return REFRESH_DONE;
}

static enum refresh_result
imds_response(struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	char **into = c->part == 0 ? &c->imds_token : &c->imds_role;

	if (rsp->status == 404 && c->part > 0) {
		err_set(err, ERR_AUTH, "no role is attached to this instance");
		return REFRESH_FAILED;
	}
	if (rsp->status != 200) {
		err_set(err, ERR_AUTH, "HTTP %d%s", rsp->status,
			c->part == 0 ? " to the request for a token (IMDSv2)" : "");
		return REFRESH_FAILED;
	}
	if (c->part == 2)
		return imds_keys(c, rsp, err);
	*into = plain_line(rsp);
	if (*into == NULL) {
		err_set(err, ERR_PROTOCOL, "the reply is not a %s",
			c->part == 0 ? "token" : "role name");
		return REFRESH_FAILED;
	}
	return REFRESH_MORE;
}

/* ---- all of them */

enum refresh_step
aws_source_request(struct aws_credentials *c, const struct aws_stage *stage,
	struct http_request *req, struct err *err)
{
	switch (stage->source) {
	case AWS_STATIC:
		c->next = (struct aws_keys){ .access_key = mem_strdup(stage->access_key),
			.secret_key = mem_strdup(stage->secret_key),
			.token = mem_strdup(stage->token) };
		return REFRESH_NOTHING;
	case AWS_PROCESS:
		return look_at_process(c, stage, err);
	case AWS_CONTAINER:
		return container_request(c, stage, req, err);
	case AWS_IMDS:
		return imds_request(c, stage, req);
	default:
		return aws_sts_request(c, stage, req, err);
	}
}

enum refresh_result
aws_source_response(struct aws_credentials *c, const struct aws_stage *stage,
	const struct http_response *rsp, struct err *err)
{
	switch (stage->source) {
	case AWS_CONTAINER:
		return container_response(c, rsp, err);
	case AWS_IMDS:
		return imds_response(c, rsp, err);
	default:
		return aws_sts_response(c, rsp, err) == 0 ? REFRESH_DONE : REFRESH_FAILED;
	}
}

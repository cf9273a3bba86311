// SPDX-License-Identifier: Apache-2.0
/*
 * The Security Token Service: AssumeRole, signed, and AssumeRoleWithWebIdentity, not signed.
 * https://docs.aws.amazon.com/STS/latest/APIReference/
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_credentials.h"
#include "aws_reply.h"
#include "clock.h"
#include "mem.h"
#include "sigv4.h"
#include "url.h"

enum {
	STS_MS = 10 * 1000,
	SKEW_S = 4 * 60, /* AWS accepts five minutes of difference */
	TOKEN_SIZE = 16 * 1024,
};

static void
add_parameter(struct buf *body, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(body, "&%s=", name);
	url_add_escaped(body, value);
}

static int
sign(struct aws_credentials *c, struct http_request *req, struct err *err)
{
	struct sigv4_header header[] = {
		{ "content-type", "application/x-www-form-urlencoded" }, { "host", NULL }
	};
	struct sigv4_request request = { .method = "POST",
		.query = "",
		.header = header,
		.n_headers = 2,
		.body = req->own_body.data,
		.body_len = req->own_body.len };
	int64_t now = clock_wall_us() / 1000000 + c->skew_s;
	struct buf host, path, authorization;
	char date[SIGV4_DATE_SIZE];
	struct sigv4 signer;
	int rc;

	buf_init(&host, CONFIG_URL_MAX);
	buf_init(&path, CONFIG_URL_MAX);
	buf_init(&authorization, 4096);
	aws_endpoint_host(buf_str(&req->url), &host);
	aws_endpoint_path(buf_str(&req->url), &path);
	header[1].value = buf_str(&host);
	request.path = buf_str(&path);
	sigv4_init(&signer, "sts", c->sts.region);
	sigv4_set_credentials(&signer, c->next.access_key, c->next.secret_key, c->next.token);
	rc = sigv4_sign(&signer, &request, now, &authorization, err);
	if (rc == 0) {
		sigv4_date(now, date);
		http_header(req, "X-Amz-Date", date);
		if (signer.token != NULL)
			http_header(req, "X-Amz-Security-Token", signer.token);
		http_header(req, "Authorization", buf_str(&authorization));
	}
	sigv4_free(&signer);
	buf_free(&host);
	buf_free(&path);
	buf_free(&authorization);
	return rc;
}

enum refresh_step
aws_sts_request(struct aws_credentials *c, const struct aws_stage *stage,
	struct http_request *req, struct err *err)
{
	bool web = stage->source == AWS_WEB_IDENTITY;
	struct aws_endpoint_options endpoint = c->sts;
	char session[64], duration[24];
	char *token = NULL;

	endpoint.url = aws_endpoint_from_env("AWS_ENDPOINT_URL_STS");
	if (aws_endpoint_url("sts", &endpoint, &req->url, err) != 0)
		return REFRESH_ERROR;
	buf_add_char(&req->url, '/');
	if (web && secret_read(&(struct secret){ .file = stage->text }, &token, err) != 0)
		return REFRESH_ERROR;
	snprintf(session, sizeof(session), "vcourier-%lld",
		(long long)(clock_wall_us() / 1000000));
	snprintf(duration, sizeof(duration), "%lld", (long long)stage->duration_s);
	buf_printf(&req->own_body, "Action=%s&Version=2011-06-15",
		web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
	add_parameter(&req->own_body, "RoleArn", stage->role_arn);
	add_parameter(&req->own_body, "RoleSessionName",
		stage->session_name ? stage->session_name : session);
	add_parameter(&req->own_body, "ExternalId", stage->external_id);
	add_parameter(
		&req->own_body, "DurationSeconds", stage->duration_s != 0 ? duration : NULL);
	add_parameter(&req->own_body, "WebIdentityToken", token);
	mem_free_secret(token);
	req->method = "POST";
	req->body = buf_str(&req->own_body);
	req->body_len = req->own_body.len;
	req->peer = c->peer;
	req->timeout_ms = STS_MS;
	http_header(req, "Content-Type", "application/x-www-form-urlencoded");
	return web || sign(c, req, err) == 0 ? REFRESH_SEND : REFRESH_ERROR;
}

static int
refused(struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	int64_t off = rsp->date_us != 0 ? (rsp->date_us - clock_wall_us()) / 1000000 : 0;
	struct aws_error e;

	aws_error_read(rsp, &e);
	if (aws_error_class(e.code) == AWS_SKEW &&
		(off - c->skew_s >= SKEW_S || c->skew_s - off >= SKEW_S))
		c->skew_s = off; /* the next request is signed with the service's clock */
	aws_error_explain(rsp, &e, err);
	return -1;
}

int
aws_sts_response(struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	char access_key[256], secret_key[256], expires[64];
	char *token;
	int64_t expires_us;

	if (rsp->status != 200)
		return refused(c, rsp, err);
	token = mem_alloc(TOKEN_SIZE);
	if (!aws_xml_text(rsp->body, "AccessKeyId", access_key, sizeof(access_key)) ||
		!aws_xml_text(rsp->body, "SecretAccessKey", secret_key, sizeof(secret_key)) ||
		!aws_xml_text(rsp->body, "SessionToken", token, TOKEN_SIZE) ||
		!aws_xml_text(rsp->body, "Expiration", expires, sizeof(expires)) ||
		!clock_parse(expires, strlen(expires), &expires_us)) {
		mem_free_secret(token);
		mem_wipe(secret_key, sizeof(secret_key));
		return err_set(err, ERR_PROTOCOL, "the reply has no credentials");
	}
	aws_keys_free(&c->next);
	c->next = (struct aws_keys){ .access_key = mem_strdup(access_key),
		.secret_key = mem_strdup(secret_key),
		.token = mem_strdup(token),
		.expires_us = expires_us };
	mem_free_secret(token);
	mem_wipe(secret_key, sizeof(secret_key));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Signs a request to EventBridge and fills in its headers. */
#include <string.h>

#include "clock.h"
#include "eventbridge.h"

enum { TIMEOUT_MS = 15 * 1000, REPLY_MAX = 1024 * 1024 };

static int
use_credentials(struct eventbridge *self, struct err *err)
{
	const struct aws_keys *keys = &self->credentials.keys;

	if (self->generation == self->credentials.generation)
		return 0;
	sigv4_set_credentials(&self->signer, keys->access_key, keys->secret_key, keys->token);
	if (self->global.url != NULL &&
		sigv4a_set_credentials(&self->global_signer, keys->access_key, keys->secret_key,
			keys->token, err) != 0)
		return -1;
	self->generation = self->credentials.generation;
	return 0;
}

int
eventbridge_prepare(struct eventbridge *self, const char *operation, struct http_request *req,
	struct err *err)
{
	char target[64] = "AWSEvents.", date[SIGV4_DATE_SIZE];
	bool global = self->global.url != NULL && strcmp(operation, "PutEvents") == 0;
	const struct eventbridge_endpoint *to = global ? &self->global : &self->regional;
	struct sigv4_header header[] = { { "content-type", "application/x-amz-json-1.1" },
		{ "host", to->host }, { "x-amz-target", target } };
	struct sigv4_request request = { .method = "POST",
		.path = to->path,
		.query = "",
		.header = header,
		.n_headers = 3,
		.body = buf_str(&req->own_body),
		.body_len = req->own_body.len };
	int64_t now = clock_wall_us() / 1000000 + self->skew_s;

	strncat(target, operation, sizeof(target) - strlen(target) - 1);
	if (!buf_ok(&req->own_body))
		return err_set(err, ERR_LIMIT, "a request body too large to send");
	buf_clear(&self->text);
	if (use_credentials(self, err) != 0 ||
		(global ? sigv4a_sign(&self->global_signer, &request, now, &self->text, err)
			: sigv4_sign(&self->signer, &request, now, &self->text, err)) != 0) {
		err->code = ERR_AUTH; /* not the events: only the body depends on them */
		return -1;
	}
	sigv4_date(now, date);
	buf_add_str(&req->url, to->url);
	http_header(req, "Content-Type", header[0].value);
	http_header(req, "X-Amz-Target", target);
	http_header(req, "X-Amz-Date", date);
	if (global)
		http_header(req, "X-Amz-Region-Set", self->global_signer.region_set);
	if (self->signer.token != NULL)
		http_header(req, "X-Amz-Security-Token", self->signer.token);
	http_header(req, "Authorization", buf_str(&self->text));
	req->method = "POST";
	req->body = buf_str(&req->own_body);
	req->body_len = req->own_body.len;
	req->peer = &self->peer;
	req->timeout_ms = TIMEOUT_MS;
	req->response_max = REPLY_MAX;
	return http_auth_check(req, err);
}

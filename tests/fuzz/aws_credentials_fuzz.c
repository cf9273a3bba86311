// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a letter for the source, a text (a URL, what a program prints), then replies
 * (fuzz_response) of STS, of a container's or an instance's metadata service. Keys are taken
 * whole or not at all, and nothing else than printable text goes into the next request.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws_credentials.h"
#include "fuzz.h"
#include "mem.h"

bool __wrap_helper_running(const struct helper *h);
enum helper_state __wrap_helper_check(struct helper *h, struct err *err);

/* The program has ended, and has printed what fuzz_one put there. */
bool
__wrap_helper_running(const struct helper *h)
{
	return h->text != NULL;
}

enum helper_state
__wrap_helper_check(struct helper *h, struct err *err)
{
	(void)h;
	(void)err;
	return HELPER_SUCCEEDED;
}

static void
print(struct helper *h, const char *text)
{
	size_t len = strlen(text);

	h->len = len < HELPER_OUTPUT_MAX ? len : HELPER_OUTPUT_MAX;
	h->text = mem_alloc(HELPER_OUTPUT_MAX + 1);
	memcpy(h->text, text, h->len);
}

/* What is added to the URL that the environment gives, and all headers: printable. */
static void
check_request(const struct http_request *req, size_t url_len)
{
	for (size_t i = 0; i < req->headers.len; i++)
		assert(req->headers.data[i] == '\n' ||
			(unsigned char)req->headers.data[i] >= ' ');
	for (size_t i = url_len; i < req->url.len; i++)
		assert(req->url.data[i] > ' ' && req->url.data[i] < 0x7f);
}

static void
check_keys(const struct aws_keys *keys)
{
	assert((keys->access_key == NULL) == (keys->secret_key == NULL));
	assert(keys->access_key == NULL ||
		(keys->access_key[0] != '\0' && keys->secret_key[0] != '\0'));
	assert(keys->token == NULL || keys->token[0] != '\0');
}

static void
run(struct aws_credentials *c, struct fuzz_parts *parts)
{
	enum refresh_result result;
	struct http_response rsp;

	for (unsigned step = 1; step < 8; step++) {
		struct http_request *req = fuzz_request();
		struct err err = { .code = ERR_NONE };
		enum refresh_step rc = aws_credentials_request(c, step, req, &err);

		if (rc != REFRESH_SEND) {
			assert(rc != REFRESH_ERROR || err.text[0] != '\0');
			return;
		}
		check_request(req, strlen(c->plan.stage[0].text));
		fuzz_response(parts, &rsp);
		result = aws_credentials_response(c, &rsp, &err);
		assert(result != REFRESH_FAILED || err.text[0] != '\0');
		if (result != REFRESH_MORE)
			return;
	}
	assert(false); /* no source takes so many requests */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum aws_source sources[] = { AWS_PROCESS, AWS_WEB_IDENTITY, AWS_CONTAINER,
		AWS_IMDS, AWS_ASSUME_ROLE, AWS_STATIC };
	static const struct aws_endpoint_options endpoint = { .region = "eu-west-1" };
	static const struct http_peer peer;
	struct aws_credentials c;
	struct aws_stage *stage;
	struct fuzz_parts parts;
	const char *text;

	if (size == 0)
		return 0;
	fuzz_parts_init(&parts, data + 1, size - 1);
	text = fuzz_part(&parts);
	aws_credentials_init(&c, NULL, &endpoint, &peer);
	stage = &c.plan.stage[0];
	c.plan.n = 1;
	stage->source = sources[data[0] % 6];
	stage->role_arn = mem_strdup("arn:aws:iam::1:role/r");
	if (stage->source == AWS_ASSUME_ROLE || stage->source == AWS_STATIC) {
		c.plan.stage[1] = *stage;
		c.plan.n = 2;
		c.plan.stage[1].source = AWS_ASSUME_ROLE;
		stage->source = AWS_STATIC;
		stage->role_arn = NULL;
		stage->access_key = mem_strdup("AKIA");
		stage->secret_key = mem_strdup("secret");
	}
	if (stage->source == AWS_WEB_IDENTITY)
		text = fuzz_file("token", 5);
	stage->text = mem_strdup(text);
	if (stage->source == AWS_PROCESS)
		print(&c.helper, text);
	run(&c, &parts);
	check_keys(&c.keys);
	assert(c.generation == (c.keys.access_key != NULL));
	aws_credentials_free(&c);
	fuzz_parts_free(&parts);
	return 0;
}

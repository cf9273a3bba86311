// SPDX-License-Identifier: Apache-2.0
#include "aws_credentials.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

#define US_PER_MS INT64_C(1000)
#define MINUTE_MS (INT64_C(60) * 1000)

/* How long before the expiry the next set is fetched, as the AWS SDKs do. */
enum { ADVANCE_MINUTES = 15, FILES_MINUTES = 5 };

void
aws_credentials_init(struct aws_credentials *c, const struct aws_keys_config *config,
	const struct aws_endpoint_options *endpoint, const struct http_peer *peer)
{
	*c = (struct aws_credentials){ .config = config,
		.sts = *endpoint,
		.peer = peer,
		.direct = { .proxy = "", .connect_timeout_ms = 1000 } };
}

static void
end_run(struct aws_credentials *c)
{
	aws_plan_free(&c->plan);
	aws_keys_free(&c->next);
	mem_free_secret(c->imds_token);
	free(c->imds_role);
	helper_end(&c->helper);
	c->imds_token = c->imds_role = NULL;
	c->stage = 0;
	c->part = 0;
}

void
aws_credentials_free(struct aws_credentials *c)
{
	end_run(c);
	aws_keys_free(&c->keys);
}

int64_t
aws_credentials_interval_ms(const struct aws_credentials *c, int64_t now_us)
{
	int64_t left = (c->keys.expires_us - now_us) / US_PER_MS;

	if (c->keys.expires_us == 0)
		return c->plan.may_change ? FILES_MINUTES * MINUTE_MS : 0;
	if (left > 2 * ADVANCE_MINUTES * MINUTE_MS)
		return left - ADVANCE_MINUTES * MINUTE_MS;
	return left / 2 > MINUTE_MS ? left / 2 : MINUTE_MS;
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* After the last stage: its keys replace those in use. */
static void
install(struct aws_credentials *c)
{
	bool may_change = c->plan.may_change;

	if (!same(c->keys.secret_key, c->next.secret_key) ||
		!same(c->keys.token, c->next.token) ||
		!same(c->keys.access_key, c->next.access_key))
		c->generation++;
	aws_keys_free(&c->keys);
	c->keys = c->next;
	c->next = (struct aws_keys){ 0 };
	end_run(c);
	c->plan.may_change = may_change;
}

enum refresh_step
aws_credentials_request(
	struct aws_credentials *c, unsigned step, struct http_request *req, struct err *err)
{
	if (step == 0 && !helper_running(&c->helper)) {
		end_run(c);
		if (aws_plan_make(&c->plan, c->config, err) != 0)
			return REFRESH_ERROR;
	}
	while (c->stage < c->plan.n) {
		const struct aws_stage *stage = &c->plan.stage[c->stage];
		enum refresh_step result = aws_source_request(c, stage, req, err);

		if (result == REFRESH_ERROR)
			err_wrap(err, "AWS credentials: %s", aws_source_name(stage->source));
		if (result != REFRESH_NOTHING)
			return result;
		c->stage++;
		c->part = 0;
	}
	install(c);
	return REFRESH_NOTHING;
}

enum refresh_result
aws_credentials_response(
	struct aws_credentials *c, const struct http_response *rsp, struct err *err)
{
	const struct aws_stage *stage = &c->plan.stage[c->stage];
	enum refresh_result result;

	if (rsp->error != ERR_NONE) {
		*err = rsp->why;
		result = REFRESH_FAILED;
	} else {
		result = aws_source_response(c, stage, rsp, err);
	}
	if (result == REFRESH_FAILED) {
		err_wrap(err, "AWS credentials: %s", aws_source_name(stage->source));
		return result;
	}
	if (result == REFRESH_MORE) {
		c->part++;
		return result;
	}
	c->part = 0;
	if (++c->stage < c->plan.n)
		return REFRESH_MORE;
	install(c);
	return REFRESH_DONE;
}

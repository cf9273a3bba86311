// SPDX-License-Identifier: Apache-2.0
/*
 * AWS credentials, renewed before they expire: runs the stages of a plan as the requests of a
 * refresh. Until a new set is complete the old one is used; after a failure it stays in use.
 */
#ifndef VCOURIER_AWS_CREDENTIALS_H
#define VCOURIER_AWS_CREDENTIALS_H

#include <stdint.h>

#include "aws_endpoint.h"
#include "aws_plan.h"
#include "helper.h"
#include "http.h"
#include "processor.h"

struct aws_keys {
	char *access_key, *secret_key, *token; /* token NULL: none */
	int64_t expires_us;                    /* 0: unknown, or never */
};
void aws_keys_free(struct aws_keys *keys);

struct aws_credentials {
	const struct aws_keys_config *config; /* NULL: the default chain */
	struct aws_endpoint_options sts;
	const struct http_peer *peer; /* for STS */
	struct http_peer direct;      /* for link-local services: no proxy */

	struct aws_keys keys; /* in use */
	uint64_t generation;  /* counts up with each new set */

	/* the current run */
	struct aws_plan plan;
	size_t stage;
	unsigned part; /* of a stage that takes several requests */
	struct aws_keys next;
	char *imds_token, *imds_role;
	struct helper helper;
	int64_t skew_s; /* the service's clock minus ours */
};

/* region: for STS. Everything is borrowed. */
void aws_credentials_init(struct aws_credentials *c, const struct aws_keys_config *config,
	const struct aws_endpoint_options *endpoint, const struct http_peer *peer);
void aws_credentials_free(struct aws_credentials *c);

/* For struct refresh. */
int64_t aws_credentials_interval_ms(const struct aws_credentials *c, int64_t now_us);
enum refresh_step aws_credentials_request(
	struct aws_credentials *c, unsigned step, struct http_request *req, struct err *err);
enum refresh_result aws_credentials_response(
	struct aws_credentials *c, const struct http_response *rsp, struct err *err);

/* ---- the requests and replies of the sources (aws_sources.c) */

/* REFRESH_NOTHING: the stage has its keys in c->next. */
enum refresh_step aws_source_request(struct aws_credentials *c, const struct aws_stage *stage,
	struct http_request *req, struct err *err);
/* REFRESH_DONE: the stage has its keys in c->next. */
enum refresh_result aws_source_response(struct aws_credentials *c,
	const struct aws_stage *stage, const struct http_response *rsp, struct err *err);

/* ---- STS (aws_sts.c) */
enum refresh_step aws_sts_request(struct aws_credentials *c, const struct aws_stage *stage,
	struct http_request *req, struct err *err);
int aws_sts_response(
	struct aws_credentials *c, const struct http_response *rsp, struct err *err);

/*
 * Reads {AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration}; what: for messages.
 */
int aws_keys_from_json(
	struct aws_keys *keys, const char *json, size_t len, const char *what, struct err *err);

#endif

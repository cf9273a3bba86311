// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoints of AWS services: partitions, FIPS and dual-stack names, ARNs.
 * https://docs.aws.amazon.com/general/latest/gr/ev.html
 */
#ifndef VCOURIER_AWS_ENDPOINT_H
#define VCOURIER_AWS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

struct aws_endpoint_options {
	const char *region;
	const char *url; /* a custom endpoint; NULL: none. Not with fips or dual_stack. */
	bool fips, dual_stack;
};

/*
 * Appends the URL of a service ("events", "sts") without a path. -1: unknown region, or
 * contradictory options.
 */
int aws_endpoint_url(const char *service, const struct aws_endpoint_options *options,
	struct buf *url, struct err *err);

/* Appends the URL of a global endpoint, "abc.xyz": https://abc.xyz.endpoint.events.<suffix>. */
int aws_endpoint_global_url(
	const char *endpoint_id, const char *region, struct buf *url, struct err *err);

/*
 * The custom URL for a service in the environment: AWS_ENDPOINT_URL_<service>,
 * AWS_ENDPOINT_URL; or NULL.
 */
const char *aws_endpoint_from_env(const char *variable);

/* Appends the Host header of a URL: host, and the port unless it is the scheme's default. */
void aws_endpoint_host(const char *url, struct buf *host);

/* Appends the path of a URL, at least "/", without query. */
void aws_endpoint_path(const char *url, struct buf *path);

/*
 * arn:<partition>:<service>:<region>:<account>:<resource>; each part NUL-terminated in `text`.
 */
struct aws_arn {
	char text[2048];
	const char *partition, *service, *region, *account, *resource;
};
bool aws_arn_parse(const char *text, struct aws_arn *arn);

#endif

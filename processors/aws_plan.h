// SPDX-License-Identifier: Apache-2.0
/*
 * Where AWS credentials come from: reads the environment and the shared files as the AWS SDKs
 * do, and makes a list of stages. The first stage gives credentials; each further stage is a
 * role that is assumed with the credentials before it.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
#ifndef VCOURIER_AWS_PLAN_H
#define VCOURIER_AWS_PLAN_H

#include <stddef.h>

#include "config.h"
#include "err.h"

enum { AWS_STAGES_MAX = 6 };

enum aws_source {
	AWS_STATIC,       /* keys in the configuration, the environment or a file */
	AWS_PROCESS,      /* text: a command that prints them */
	AWS_WEB_IDENTITY, /* text: the file with the token (IRSA) */
	AWS_CONTAINER,    /* ECS, EKS Pod Identity; text: the URL */
	AWS_IMDS,         /* EC2 instance metadata; text: the service's URL */
	AWS_ASSUME_ROLE,  /* a role, with the credentials of the stage before */
};

struct aws_stage {
	enum aws_source source;
	char *text;
	char *access_key, *secret_key, *token;
	char *role_arn, *session_name, *external_id;
	int64_t duration_s; /* of a role; 0: the role's default */
};

struct aws_plan {
	struct aws_stage stage[AWS_STAGES_MAX];
	size_t n;
	bool may_change; /* keys from files, which are read again now and then */
};

/* auth.awsAccessKeyAuth of the configuration. */
struct aws_keys_config {
	struct secret access_key, secret_key, token;
};

/* keys NULL: the default chain. -1: no source was found, or the first one found is invalid. */
int aws_plan_make(struct aws_plan *plan, const struct aws_keys_config *keys, struct err *err);
void aws_plan_free(struct aws_plan *plan);

/*
 * The region in the environment and shared files, freed by the caller; NULL when there is none.
 */
char *aws_plan_region(void);

/* "AssumeRole", "credential_process": for error messages. */
const char *aws_source_name(enum aws_source source);

#endif

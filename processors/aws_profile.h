// SPDX-License-Identifier: Apache-2.0
/*
 * The files that the AWS tools share: ~/.aws/credentials and ~/.aws/config, one profile of
 * them. https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
#ifndef VCOURIER_AWS_PROFILE_H
#define VCOURIER_AWS_PROFILE_H

#include "err.h"

/*
 * The values of a profile; NULL when a value is absent. The credentials file has precedence
 * over the config file.
 */
struct aws_profile {
	char *access_key, *secret_key, *token;
	char *region;
	char *role_arn, *source_profile, *credential_source, *external_id, *session_name,
		*duration;
	char *web_identity_token_file, *credential_process;
	char *sso_session, *sso_start_url, *login_session; /* recognised, but not supported */
};

/* Whether a source of credentials is configured. AWS_ERROR is what err_set returns. */
enum aws_found { AWS_ERROR = -1, AWS_FOUND, AWS_ABSENT };

/* AWS_ABSENT: no file has it. AWS_ERROR: a file cannot be read. */
enum aws_found aws_profile_load(const char *name, struct aws_profile *profile, struct err *err);
void aws_profile_free(struct aws_profile *profile);

#endif

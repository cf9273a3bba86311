// SPDX-License-Identifier: Apache-2.0
#include "aws_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_profile.h"
#include "mem.h"
#include "text.h"

#define ECS_HOST "http://169.254.170.2"
#define IMDS_V4 "http://169.254.169.254"
#define IMDS_V6 "http://[fd00:ec2::254]"

/* STS API reference, DurationSeconds */
enum { ROLE_SECONDS_MIN = 900, ROLE_SECONDS_MAX = 43200 };

/* An environment variable; NULL when unset or empty. */
static const char *
env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
env_true(const char *name)
{
	const char *value = env(name);

	return value != NULL &&
		(strcmp(value, "true") == 0 || strcmp(value, "True") == 0 ||
			strcmp(value, "TRUE") == 0);
}

const char *
aws_source_name(enum aws_source source)
{
	static const char *const names[] = { "static keys", "credential_process",
		"web identity", "container credentials", "instance metadata", "AssumeRole" };

	return names[source];
}

void
aws_plan_free(struct aws_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct aws_stage *s = &plan->stage[i];

		free(s->text);
		free(s->access_key);
		mem_free_secret(s->secret_key);
		mem_free_secret(s->token);
		free(s->role_arn);
		free(s->session_name);
		free(s->external_id);
	}
	*plan = (struct aws_plan){ .n = 0 };
}

static struct aws_stage *
add(struct aws_plan *plan, enum aws_source source, const char *text)
{
	struct aws_stage *s = &plan->stage[plan->n++];

	*s = (struct aws_stage){ .source = source, .text = mem_strdup(text) };
	return s;
}

static void
add_static(struct aws_plan *plan, const char *access_key, const char *secret_key,
	const char *token)
{
	struct aws_stage *s = add(plan, AWS_STATIC, NULL);

	s->access_key = mem_strdup(access_key);
	s->secret_key = mem_strdup(secret_key);
	s->token = mem_strdup(token);
}

static int
from_config(struct aws_plan *plan, const struct aws_keys_config *keys, struct err *err)
{
	char *access_key = NULL, *secret = NULL, *token = NULL;
	int rc = 0;

	if (secret_read(&keys->access_key, &access_key, err) != 0)
		rc = err_wrap(err, "accessKey");
	else if (secret_read(&keys->secret_key, &secret, err) != 0)
		rc = err_wrap(err, "secretKey");
	else if (secret_is_set(&keys->token) && secret_read(&keys->token, &token, err) != 0)
		rc = err_wrap(err, "sessionToken");
	else
		add_static(plan, access_key, secret, token);
	plan->may_change = keys->access_key.file != NULL || keys->secret_key.file != NULL ||
		keys->token.file != NULL;
	mem_free_secret(access_key);
	mem_free_secret(secret);
	mem_free_secret(token);
	return rc;
}

static enum aws_found
from_environment(struct aws_plan *plan, struct err *err)
{
	const char *access_key = env("AWS_ACCESS_KEY_ID"),
		   *secret_key = env("AWS_SECRET_ACCESS_KEY");

	if (access_key == NULL)
		return AWS_ABSENT;
	if (secret_key == NULL)
		return err_set(err, ERR_CONFIG,
			"AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
	add_static(plan, access_key, secret_key, env("AWS_SESSION_TOKEN"));
	return AWS_FOUND;
}

static enum aws_found
from_web_identity(struct aws_plan *plan, struct err *err)
{
	const char *file = env("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = env("AWS_ROLE_ARN"),
		   *session = env("AWS_ROLE_SESSION_NAME");
	struct aws_stage *s;

	if (file == NULL)
		return AWS_ABSENT;
	if (role == NULL)
		return err_set(err, ERR_CONFIG,
			"AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
	s = add(plan, AWS_WEB_IDENTITY, file);
	s->role_arn = mem_strdup(role);
	s->session_name = mem_strdup(session);
	return AWS_FOUND;
}

static enum aws_found
from_container(struct aws_plan *plan)
{
	const char *relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   *full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct aws_stage *s;

	if (relative == NULL && full == NULL)
		return AWS_ABSENT;
	s = add(plan, AWS_CONTAINER, full);
	if (relative != NULL) {
		size_t n = strlen(ECS_HOST) + strlen(relative) + 1;

		free(s->text);
		s->text = mem_alloc(n);
		snprintf(s->text, n, "%s%s", ECS_HOST, relative);
	}
	return AWS_FOUND;
}

static enum aws_found
from_imds(struct aws_plan *plan)
{
	const char *mode = env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
		   *url = env("AWS_EC2_METADATA_SERVICE_ENDPOINT");

	if (env_true("AWS_EC2_METADATA_DISABLED"))
		return AWS_ABSENT;
	if (url == NULL)
		url = mode != NULL && (strcmp(mode, "IPv6") == 0 || strcmp(mode, "ipv6") == 0)
			? IMDS_V6
			: IMDS_V4;
	add(plan, AWS_IMDS, url);
	return AWS_FOUND;
}

/* ---- profiles */

static enum aws_found from_profile(
	struct aws_plan *plan, const char *name, int depth, struct err *err);

static int
check_supported(const struct aws_profile *p, const char *name, struct err *err)
{
	if (p->sso_session != NULL || p->sso_start_url != NULL || p->login_session != NULL)
		return err_set(err, ERR_CONFIG,
			"profile %s signs in through SSO or login, which is not supported "
			"for a service: use keys, a role, or credential_process",
			name);
	return 0;
}

/* The credentials with which a profile's role is assumed. */
static enum aws_found
role_source(struct aws_plan *plan, const struct aws_profile *p, const char *name, int depth,
	struct err *err)
{
	const char *from = p->credential_source;
	enum aws_found rc = AWS_ABSENT;

	if (p->source_profile != NULL && from != NULL)
		return err_set(err, ERR_CONFIG,
			"profile %s has source_profile and credential_source", name);
	if (p->source_profile != NULL && strcmp(p->source_profile, name) == 0 &&
		p->access_key != NULL) {
		if (p->secret_key == NULL)
			return err_set(err, ERR_CONFIG,
				"profile %s has no aws_secret_access_key", name);
		add_static(plan, p->access_key, p->secret_key, p->token);
		return AWS_FOUND;
	}
	if (p->source_profile != NULL)
		return from_profile(plan, p->source_profile, depth + 1, err);
	if (from == NULL)
		return err_set(err, ERR_CONFIG,
			"profile %s has role_arn without source_profile or "
			"credential_source",
			name);
	if (strcmp(from, "Environment") == 0)
		rc = from_environment(plan, err);
	else if (strcmp(from, "EcsContainer") == 0)
		rc = from_container(plan);
	else if (strcmp(from, "Ec2InstanceMetadata") == 0)
		rc = from_imds(plan);
	else
		return err_set(err, ERR_CONFIG,
			"profile %s: credential_source %.40s is not Environment, "
			"EcsContainer or Ec2InstanceMetadata",
			name, from);
	return rc != AWS_ABSENT
		? rc
		: err_set(err, ERR_CONFIG, "profile %s: credential_source %s is not configured",
			  name, from);
}

static int
add_role(struct aws_plan *plan, const struct aws_profile *p, const char *name, int depth,
	struct err *err)
{
	bool web = p->web_identity_token_file != NULL;
	struct aws_stage *s;
	int64_t duration = 0;

	if (p->duration != NULL &&
		!text_int(p->duration, ROLE_SECONDS_MIN, ROLE_SECONDS_MAX, &duration))
		return err_set(err, ERR_CONFIG, "profile %s: duration_seconds must be %d to %d",
			name, ROLE_SECONDS_MIN, ROLE_SECONDS_MAX);
	if (!web && role_source(plan, p, name, depth, err) != 0)
		return -1;
	if (plan->n == AWS_STAGES_MAX)
		return err_set(err, ERR_CONFIG, "profile %s: a chain of too many roles", name);
	s = add(plan, web ? AWS_WEB_IDENTITY : AWS_ASSUME_ROLE, p->web_identity_token_file);
	s->role_arn = mem_strdup(p->role_arn);
	s->session_name = mem_strdup(p->session_name);
	s->external_id = mem_strdup(p->external_id);
	s->duration_s = duration;
	return 0;
}

static enum aws_found
from_profile(struct aws_plan *plan, const char *name, int depth, struct err *err)
{
	struct aws_profile p;
	enum aws_found rc = depth < AWS_STAGES_MAX
		? aws_profile_load(name, &p, err)
		: err_set(err, ERR_CONFIG, "profile %s: source_profile refers to itself", name);

	if (rc == AWS_ERROR)
		return AWS_ERROR;
	if (rc == AWS_ABSENT && depth > 0)
		return err_set(err, ERR_CONFIG, "no file has the profile %s", name);
	if (rc == AWS_ABSENT)
		return AWS_ABSENT;
	plan->may_change = true;
	rc = check_supported(&p, name, err) == 0 ? AWS_FOUND : AWS_ERROR;
	if (rc == AWS_FOUND && p.role_arn != NULL) {
		rc = add_role(plan, &p, name, depth, err) == 0 ? AWS_FOUND : AWS_ERROR;
	} else if (rc == AWS_FOUND && p.access_key != NULL) {
		if (p.secret_key == NULL)
			rc = err_set(err, ERR_CONFIG, "profile %s has no aws_secret_access_key",
				name);
		else
			add_static(plan, p.access_key, p.secret_key, p.token);
	} else if (rc == AWS_FOUND && p.credential_process != NULL) {
		add(plan, AWS_PROCESS, p.credential_process);
	} else if (rc == AWS_FOUND) {
		rc = depth == 0
			? AWS_ABSENT
			: err_set(err, ERR_CONFIG, "profile %s has no credentials", name);
	}
	aws_profile_free(&p);
	return rc;
}

static enum aws_found
from_chosen_profile(struct aws_plan *plan, struct err *err)
{
	const char *chosen = env("AWS_PROFILE");
	enum aws_found rc = from_profile(plan, chosen != NULL ? chosen : "default", 0, err);

	if (rc == AWS_ABSENT && chosen != NULL)
		return err_set(err, ERR_CONFIG,
			"AWS_PROFILE=%s: no file has that profile with credentials", chosen);
	return rc;
}

int
aws_plan_make(struct aws_plan *plan, const struct aws_keys_config *keys, struct err *err)
{
	int rc;

	*plan = (struct aws_plan){ .n = 0 };
	if (keys != NULL) {
		rc = from_config(plan, keys, err);
	} else {
		rc = from_environment(plan, err);
		if (rc == AWS_ABSENT)
			rc = from_web_identity(plan, err);
		if (rc == AWS_ABSENT)
			rc = from_chosen_profile(plan, err);
		if (rc == AWS_ABSENT)
			rc = from_container(plan);
		if (rc == AWS_ABSENT)
			rc = from_imds(plan);
		if (rc == AWS_ABSENT)
			rc = err_set(err, ERR_CONFIG,
				"no AWS credentials: not in the environment, no web identity, "
				"no profile, no container, instance metadata disabled");
	}
	if (rc != 0)
		aws_plan_free(plan);
	return rc;
}

char *
aws_plan_region(void)
{
	const char *region = env("AWS_REGION"), *name = env("AWS_PROFILE");
	struct aws_profile p;
	struct err ignored;
	char *found = NULL;

	if (region == NULL)
		region = env("AWS_DEFAULT_REGION");
	if (region != NULL)
		return mem_strdup(region);
	if (aws_profile_load(name != NULL ? name : "default", &p, &ignored) == AWS_FOUND) {
		found = mem_strdup(p.region);
		aws_profile_free(&p);
	}
	return found;
}

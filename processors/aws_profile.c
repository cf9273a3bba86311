// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L /* open flags */
#include "aws_profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "file.h"
#include "mem.h"

enum { FILE_MAX = 1024 * 1024 };

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
	{ "aws_access_key_id", offsetof(struct aws_profile, access_key) },
	{ "aws_secret_access_key", offsetof(struct aws_profile, secret_key) },
	{ "aws_session_token", offsetof(struct aws_profile, token) },
	{ "region", offsetof(struct aws_profile, region) },
	{ "role_arn", offsetof(struct aws_profile, role_arn) },
	{ "source_profile", offsetof(struct aws_profile, source_profile) },
	{ "credential_source", offsetof(struct aws_profile, credential_source) },
	{ "external_id", offsetof(struct aws_profile, external_id) },
	{ "role_session_name", offsetof(struct aws_profile, session_name) },
	{ "duration_seconds", offsetof(struct aws_profile, duration) },
	{ "web_identity_token_file", offsetof(struct aws_profile, web_identity_token_file) },
	{ "credential_process", offsetof(struct aws_profile, credential_process) },
	{ "sso_session", offsetof(struct aws_profile, sso_session) },
	{ "sso_start_url", offsetof(struct aws_profile, sso_start_url) },
	{ "login_session", offsetof(struct aws_profile, login_session) },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static char **
field(struct aws_profile *profile, size_t i)
{
	return (char **)(void *)((char *)profile + keys[i].offset);
}

void
aws_profile_free(struct aws_profile *profile)
{
	for (size_t i = 0; i < KEYS; i++)
		mem_free_secret(*field(profile, i));
	*profile = (struct aws_profile){ 0 };
}

/* The file's path: from the environment, or below $HOME; "" when neither is set. */
static void
path_of(const char *variable, const char *below_home, struct buf *path)
{
	const char *set = getenv(variable), *home = getenv("HOME");

	if (set != NULL && *set != '\0' && (set[0] != '~' || set[1] != '/'))
		buf_add_str(path, set);
	else if (home != NULL && *home != '\0')
		buf_printf(path, "%s/%s", home,
			set != NULL && *set != '\0' ? set + 2 : below_home);
}

/* A file that does not exist is empty. */
static int
read_file(const char *path, struct buf *text, struct err *err)
{
	struct err why;

	if (*path == '\0' || file_read(path, text, NULL, &why) == 0 ||
		why.code == ERR_NOT_FOUND)
		return 0;
	return err_set(err, why.code, "%s", why.text);
}

/* Removes white space at both ends, in place. */
static char *
trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		;
	s[n] = '\0';
	return s;
}

/*
 * Whether "[...]" is the section of this profile. In the config file it is "profile NAME",
 * except for "default".
 */
static bool
is_section(char *line, const char *name, bool config_file)
{
	char *close = strchr(line, ']'), *inside;
	size_t n;

	if (close == NULL)
		return false;
	*close = '\0';
	inside = trim(line + 1);
	if (config_file && strncmp(inside, "profile", 7) == 0 &&
		isspace((unsigned char)inside[7]))
		inside = trim(inside + 7);
	else if (config_file && strcmp(inside, "default") != 0)
		return false;
	n = strlen(inside);
	if (n >= 2 && (inside[0] == '"' || inside[0] == '\'') && inside[n - 1] == inside[0]) {
		inside[n - 1] = '\0';
		inside++;
	}
	return strcmp(inside, name) == 0;
}

/* "key = value"; a comment after white space is removed. */
static void
take_value(struct aws_profile *profile, char *line)
{
	char *equals = strchr(line, '='), *key, *value;

	if (equals == NULL)
		return;
	*equals = '\0';
	key = trim(line);
	value = equals + 1;
	for (char *p = value; *p != '\0'; p++)
		if ((*p == '#' || *p == ';') && p > value && isspace((unsigned char)p[-1])) {
			*p = '\0';
			break;
		}
	value = trim(value);
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(key, keys[i].key) != 0)
			continue;
		mem_free_secret(*field(profile, i));
		*field(profile, i) = *value != '\0' ? mem_strdup(value) : NULL;
	}
}

/* True when the text has the profile; its values replace those that are set. */
static bool
scan(char *text, const char *name, bool config_file, struct aws_profile *profile)
{
	bool inside = false, found = false;
	char *next;

	/* a byte order mark, as Windows editors write it */
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (char *line = text; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (*line == '[') {
			inside = is_section(line, name, config_file);
			found = found || inside;
		} else if (inside && *line != '#' && *line != ';' &&
			!isspace((unsigned char)*line)) {
			take_value(profile, line); /* indented lines belong to a nested block */
		}
	}
	return found;
}

enum aws_found
aws_profile_load(const char *name, struct aws_profile *profile, struct err *err)
{
	struct buf path, text;
	bool found = false;
	int rc = 0;

	*profile = (struct aws_profile){ 0 };
	buf_init(&path, 4096);
	buf_init(&text, FILE_MAX + 1);
	for (int credentials = 0; credentials < 2 && rc >= 0; credentials++) {
		buf_clear(&path);
		buf_clear(&text);
		if (credentials)
			path_of("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &path);
		else
			path_of("AWS_CONFIG_FILE", ".aws/config", &path);
		rc = read_file(buf_str(&path), &text, err);
		if (rc == 0 && text.len > 0)
			found = scan(text.data, name, !credentials, profile) || found;
	}
	if (text.data != NULL)
		mem_wipe(text.data, text.cap);
	buf_free(&text);
	buf_free(&path);
	if (rc < 0)
		aws_profile_free(profile);
	return rc < 0 ? AWS_ERROR : found ? AWS_FOUND : AWS_ABSENT;
}

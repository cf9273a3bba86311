// SPDX-License-Identifier: Apache-2.0
#include "secret.h"

#include <string.h>

#include "buf.h"
#include "file.h"
#include "mem.h"

enum { SECRET_BYTES_MAX = 64 * 1024 };

bool
secret_is_set(const struct secret *s)
{
	return s != NULL && (s->value != NULL || s->file != NULL);
}

static int
read_secret_file(const char *path, char **out, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, SECRET_BYTES_MAX);
	rc = file_read(path, &text, NULL, err);
	if (rc == 0 && text.len > 0 && text.data[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len > 0 && text.data[text.len - 1] == '\r')
		buf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len == 0)
		rc = err_set(err, ERR_CONFIG, "%s: the file is empty", path);
	else if (rc == 0 && memchr(text.data, '\0', text.len) != NULL)
		rc = err_set(err, ERR_CONFIG, "%s: contains a NUL byte", path);
	if (rc == 0)
		*out = mem_strndup(text.data, text.len);
	mem_wipe(text.data, text.cap);
	buf_free(&text);
	return rc;
}

int
secret_read(const struct secret *s, char **out, struct err *err)
{
	if (!secret_is_set(s))
		return err_set(err, ERR_CONFIG, "no secret is configured");
	if (s->file != NULL)
		return read_secret_file(s->file, out, err);
	*out = mem_strdup(s->value);
	return 0;
}

bool
secret_is_same(const char *guess, const char *want)
{
	size_t n = strlen(want), i;
	unsigned char differs = strlen(guess) != n;

	for (i = 0; *guess != '\0' && i < n; i++)
		differs |= (unsigned char)(guess[i] ^ want[i]);
	return differs == 0;
}

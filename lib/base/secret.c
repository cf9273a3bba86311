// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

enum { SECRET_BYTES_MAX = 64 * 1024 };

bool
secret_is_set(const struct secret *s)
{
	return s != NULL && (s->value != NULL || s->file != NULL);
}

/* Up to size bytes; -1 with errno set when it fails, EFBIG when there is more. */
static ssize_t
read_all(int fd, char *to, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, to + len, size - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		len += (size_t)n;
		if (len == size) {
			errno = EFBIG;
			return -1;
		}
	}
	return (ssize_t)len;
}

static int
read_secret_file(const char *path, char **out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	ssize_t len = -1;
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_CONFIG, "%s: is not a regular file", path);
	}
	text = mem_alloc(SECRET_BYTES_MAX + 1);
	len = read_all(fd, text, SECRET_BYTES_MAX);
	if (len < 0)
		err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	close(fd);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len == 0)
		err_set(err, ERR_CONFIG, "%s: is empty", path);
	else if (len > 0 && memchr(text, '\0', (size_t)len) != NULL)
		len = err_set(err, ERR_CONFIG, "%s: has a NUL byte in it", path);
	if (len > 0)
		*out = mem_strndup(text, (size_t)len);
	mem_wipe(text, SECRET_BYTES_MAX);
	free(text);
	return len > 0 ? 0 : -1;
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

// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "import_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
write_secret(const char *directory, const struct import_secret *secret, struct err *err)
{
	char path[4096];
	size_t len = strlen(secret->value);
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, secret->name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	n = write(fd, secret->value, len);
	if (close(fd) == 0 && n == (ssize_t)len)
		return 0;
	unlink(path); /* the next run would refuse a part that a full disk left */
	return err_set(err, ERR_SYSTEM, "%s: cannot be written", path);
}

int
import_secrets_write(
	const char *directory, const struct import_secret *secret, size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_SYSTEM, "%s: %s", directory, err_strerror(errno));
	for (size_t i = 0; i < n; i++)
		if (write_secret(directory, &secret[i], err) != 0)
			return -1;
	return 0;
}

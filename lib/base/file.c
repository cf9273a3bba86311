// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

enum { CHUNK = 16 * 1024, MIB = 1024 * 1024 };

static int
read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char chunk[CHUNK];
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		if (n < 0)
			rc = err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
		else if (!buf_ok(out))
			rc = err_set(err, ERR_LIMIT, "%s: larger than %zu %s", path,
				out->max >= MIB ? out->max / MIB : out->max,
				out->max >= MIB ? "MiB" : "bytes");
	}
	mem_wipe(chunk, sizeof(chunk)); /* the file may hold a secret */
	return rc;
}

int
file_open(const char *path, int flags, struct stat *st, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | flags);

	if (fd < 0)
		return err_set(err,
			errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM,
			"%s: %s", path, err_strerror(errno));
	if (fstat(fd, st) != 0)
		err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	else if (!S_ISREG(st->st_mode))
		err_set(err, ERR_CONFIG, "%s: %s", path,
			S_ISDIR(st->st_mode) ? "is a directory" : "is not a regular file");
	else
		return fd;
	close(fd);
	return -1;
}

int
file_read(const char *path, struct buf *out, struct file_info *info, struct err *err)
{
	struct stat st;
	int fd = file_open(path, 0, &st, err), rc;

	if (fd < 0)
		return -1;
	buf_room(out, (size_t)st.st_size); /* overflows if the file is too large */
	rc = read_all(fd, path, out, err);
	close(fd);
	if (rc == 0 && info != NULL)
		info->world_writable = (st.st_mode & S_IWOTH) != 0;
	return rc;
}

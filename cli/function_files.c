// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "function_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "function_unit.h"
#include "mem.h"
#include "printable.h"
#include "text.h"

enum { FILE_MAX = 16 * 1024 * 1024, PATH_BYTES_MAX = 16 * 1024 };

static bool
is_secret(const struct function_file *file)
{
	return (file->mode & (S_IRGRP | S_IROTH)) == 0;
}

/* False: there is no such file, or it cannot be read. */
static bool
read_old(const char *path, struct buf *text)
{
	buf_init(text, FILE_MAX);
	return file_read(path, text, NULL, NULL) == 0;
}

static void
wipe(struct buf *text)
{
	mem_wipe(text->data, text->len);
	buf_free(text);
}

bool
function_file_differs(const struct function_file *file)
{
	struct stat st;
	struct buf old;
	bool differs;

	if (lstat(file->path, &st) != 0)
		return file->text != NULL;
	if (file->text == NULL || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != file->mode)
		return true;
	differs = !read_old(file->path, &old) || old.len != strlen(file->text) ||
		memcmp(buf_str(&old), file->text, old.len) != 0;
	wipe(&old);
	return differs;
}

bool
function_file_is_foreign(const char *path)
{
	struct stat st;
	struct buf old;
	bool foreign;

	if (lstat(path, &st) != 0)
		return false;
	foreign = !read_old(path, &old) || !text_starts(buf_str(&old), FUNCTION_WRITTEN);
	wipe(&old);
	return foreign;
}

/* ---- writing */

static int
make_directories(const struct function_file *file, struct err *err)
{
	char *path = mem_strdup(file->path);
	int rc = 0;

	for (char *slash = strchr(path + 1, '/'); slash != NULL && rc == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, is_secret(file) ? 0700 : 0755) != 0 && errno != EEXIST)
			rc = err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
		*slash = '/';
	}
	free(path);
	return rc;
}

static int
write_text(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return fsync(fd);
}

/* A name that the dispatcher and podman's generator do not read. */
static void
temporary(const char *path, struct buf *out)
{
	const char *slash = strrchr(path, '/');
	int directory = slash != NULL ? (int)(slash + 1 - path) : 0;

	buf_init(out, PATH_BYTES_MAX);
	buf_printf(out, "%.*s.%s.new", directory, path, path + directory);
}

static int
replace(const struct function_file *file, struct err *err)
{
	struct buf new;
	int fd, rc = 0;

	temporary(file->path, &new);
	unlink(buf_str(&new));
	fd = open(buf_str(&new), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		file->mode);
	if (fd < 0) {
		rc = err_set(err, ERR_SYSTEM, "%s: %s", file->path, err_strerror(errno));
		buf_free(&new);
		return rc;
	}
	if (fchmod(fd, file->mode) != 0 || write_text(fd, file->text) != 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", file->path, err_strerror(errno));
	if (close(fd) != 0 && rc == 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", file->path, err_strerror(errno));
	if (rc == 0 && rename(buf_str(&new), file->path) != 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", file->path, err_strerror(errno));
	if (rc != 0)
		unlink(buf_str(&new));
	buf_free(&new);
	return rc;
}

int
function_file_write(const struct function_file *file, bool *changed, struct err *err)
{
	if (!function_file_differs(file))
		return 0;
	if (file->text == NULL)
		return function_file_remove(file->path, changed, err);
	if (make_directories(file, err) != 0 || replace(file, err) != 0)
		return -1;
	*changed = true;
	return 0;
}

int
function_file_remove(const char *path, bool *removed, struct err *err)
{
	if (unlink(path) == 0)
		*removed = true;
	else if (errno != ENOENT && errno != ENOTDIR)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	return 0;
}

/* ---- printing */

void
function_file_print(const struct function_file *file)
{
	if (file->text == NULL)
		return;
	printf("--- %s (mode %04o)\n", file->path, (unsigned)file->mode);
	if (is_secret(file)) {
		puts("***");
		return;
	}
	printable_lines(stdout, file->text, strlen(file->text));
}

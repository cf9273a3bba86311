// SPDX-License-Identifier: Apache-2.0
/* The files of a backup: written once, with their sums. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "backup_set.h"
#include "file.h"

static int
fail(const char *path, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
}

static int
start(struct backup_file *f, int fd, const char *mode, struct err *err)
{
	EVP_MD_CTX *sum;

	if (fd < 0)
		return fail(f->path, err);
	f->file = fdopen(fd, mode);
	if (f->file == NULL) {
		close(fd);
		return fail(f->path, err);
	}
	sum = EVP_MD_CTX_new();
	if (sum == NULL || EVP_DigestInit_ex(sum, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(sum);
		fclose(f->file);
		return err_set(err, ERR_SYSTEM, "OpenSSL has no SHA-256");
	}
	f->sum = sum;
	f->bytes = 0;
	return 0;
}

int
backup_file_create(struct backup_file *f, struct err *err)
{
	return start(f, open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "w", err);
}

int
backup_file_open(struct backup_file *f, struct err *err)
{
	struct stat st;
	int fd = file_open(f->path, O_NOFOLLOW, &st, err);

	return fd < 0 ? -1 : start(f, fd, "r", err);
}

int
backup_file_write(void *file, const void *data, size_t len, struct err *err)
{
	struct backup_file *f = file;

	if (fwrite(data, 1, len, f->file) != len)
		return fail(f->path, err);
	EVP_DigestUpdate(f->sum, data, len);
	f->bytes += len;
	return 0;
}

long
backup_file_read(void *file, void *data, size_t size, struct err *err)
{
	struct backup_file *f = file;
	size_t n = fread(data, 1, size, f->file);

	if (n == 0 && ferror(f->file))
		return fail(f->path, err);
	EVP_DigestUpdate(f->sum, data, n);
	f->bytes += n;
	return (long)n;
}

/* A file that was read is not written back: fsync does nothing for it. */
int
backup_file_close(struct backup_file *f, char sha256[65], struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int rc = 0;

	EVP_DigestFinal_ex(f->sum, digest, &n);
	EVP_MD_CTX_free(f->sum);
	for (unsigned i = 0; i < n && i < 32; i++)
		snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
	if (fflush(f->file) != 0 || fsync(fileno(f->file)) != 0)
		rc = fail(f->path, err);
	fclose(f->file);
	return rc;
}

int
backup_file_save(const char *path, const struct buf *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done = 0;
	int rc = 0;

	if (fd < 0)
		return fail(path, err);
	while (done < text->len && rc == 0) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0)
			rc = fail(path, err);
		else
			done += (size_t)n;
	}
	if (rc == 0 && fsync(fd) != 0)
		rc = fail(path, err);
	close(fd);
	return rc;
}

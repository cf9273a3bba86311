// SPDX-License-Identifier: Apache-2.0
/* Reads regular files. A FIFO or a device is refused before it can block. */
#ifndef VCOURIER_FILE_H
#define VCOURIER_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "buf.h"
#include "err.h"

struct file_info {
	bool world_writable;
};

/*
 * A descriptor for reading, and the status of the file; flags: further ones of open, or 0.
 * Fails with ERR_NOT_FOUND when there is no such file, ERR_SYSTEM when it cannot be opened and
 * ERR_CONFIG when it is not a regular file; err names the path.
 */
int file_open(const char *path, int flags, struct stat *st, struct err *err);

/*
 * Appends the file's bytes to out, at most the buf's own limit. info may be NULL. Fails as
 * file_open does, with ERR_SYSTEM when it cannot be read and with ERR_LIMIT when it is larger
 * than the limit.
 * The room for the whole file is made at once, because a buffer that grows leaves copies in
 * freed memory. The caller wipes out when the file holds a secret.
 */
int file_read(const char *path, struct buf *out, struct file_info *info, struct err *err);

#endif

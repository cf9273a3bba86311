// SPDX-License-Identifier: Apache-2.0
/* A configuration file: read, bound, printed; and what was printed is right itself. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deployment.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int
load(struct deployment *deployment, const void *data, size_t size)
{
	int fd = memfd_create("router.yaml", MFD_CLOEXEC), rc;
	struct config_errors errors;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config_errors_init(&errors);
	rc = deployment_load(deployment, path, &errors);
	if ((rc != 0) != (errors.n != 0))
		abort();
	config_errors_free(&errors);
	close(fd);
	return rc;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct deployment deployment, again;
	struct buf text;

	buf_init(&text, 16 * 1024 * 1024);
	if (load(&deployment, data, size) == 0) {
		deployment_print(&deployment, &text);
		if (load(&again, buf_str(&text), text.len) != 0)
			abort();
		deployment_free(&again);
	}
	deployment_free(&deployment);
	buf_free(&text);
	return 0;
}

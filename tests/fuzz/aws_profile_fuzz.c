// SPDX-License-Identifier: Apache-2.0
/*
 * Input: the AWS tools' shared files, as users leave them behind. A plan comes out, or a
 * reason.
 */
#define _GNU_SOURCE /* memfd_create */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aws_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
file(void)
{
	static int fd = -1;
	char path[64];

	if (fd >= 0)
		return fd;
	fd = memfd_create("profile", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("AWS_CONFIG_FILE", path, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_plan plan;
	struct err err;
	int fd = file();

	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (aws_plan_make(&plan, NULL, &err) == 0) {
		assert(plan.n > 0 && plan.n <= AWS_STAGES_MAX);
		aws_plan_free(&plan);
	}
	free(aws_plan_region());
	return 0;
}

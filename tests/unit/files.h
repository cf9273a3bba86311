// SPDX-License-Identifier: Apache-2.0
/* Files for tests. */
#ifndef VCOURIER_TEST_FILES_H
#define VCOURIER_TEST_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* Made or replaced; fails the test when it cannot. */
void write_file(const char *path, const void *text, size_t len, mode_t mode);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Input: a vimServiceVersions.xml. What comes of it goes into a header. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "vim_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vim_versions v;
	struct err err;

	if (vim_versions_parse(&v, (const char *)data, size, &err) != 0)
		return 0;
	assert(v.n > 0 && v.n <= sizeof(v.version) / sizeof(v.version[0]));
	for (size_t i = 0; i < v.n; i++) {
		size_t len = strlen(v.version[i]);

		assert(len > 0 && len < sizeof(v.version[0]));
		for (size_t k = 0; k < len; k++)
			assert(v.version[i][k] > ' ' && v.version[i][k] < 0x7f);
	}
	return 0;
}

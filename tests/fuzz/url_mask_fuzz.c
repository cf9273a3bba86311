// SPDX-License-Identifier: Apache-2.0
/*
 * Input: what is before a URL, its user, its password and what follows, a NUL byte between
 * them. The password is in no output.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "url_mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BEFORE, USER, PASSWORD, AFTER, PARTS };

/*
 * Characters that are in no URL end it, and the text after them is not part of it. A password
 * that begins with slashes makes its user look like the scheme of another URL.
 */
static int
is_one_url(char *part[PARTS])
{
	return strcspn(part[USER], "/?# \t\r\n\"<>\\`") == strlen(part[USER]) &&
		strpbrk(part[PASSWORD], " \t\r\n\"<>\\`") == NULL &&
		strncmp(part[PASSWORD], "//", 2) != 0 && strstr(part[BEFORE], "://") == NULL &&
		strstr(part[USER], "://") == NULL && strstr(part[PASSWORD], "://") == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + PARTS + 1), *part[PARTS], *next = text;
	struct buf url, rest, masked;

	memcpy(text, data, size);
	memset(text + size, 0, PARTS + 1);
	for (int i = 0; i < PARTS; i++) {
		part[i] = next;
		next += next < text + size ? strlen(next) + 1 : 0;
	}
	buf_init(&url, 1 << 20);
	buf_init(&masked, 1 << 21);
	buf_init(&rest, 1 << 20);
	buf_printf(&url, "%s://%s:%s@host%s", part[BEFORE], part[USER], part[PASSWORD],
		part[AFTER]);
	url_mask_add(&masked, buf_str(&url));
	buf_printf(&rest, "%s://%s:@host%s***", part[BEFORE], part[USER], part[AFTER]);
	if (buf_ok(&url)) {
		assert(buf_ok(&masked));
		assert(strlen(part[PASSWORD]) < 4 || !is_one_url(part) ||
			strstr(buf_str(&rest), part[PASSWORD]) != NULL ||
			strstr(buf_str(&masked), part[PASSWORD]) == NULL);
	}
	buf_free(&rest);
	buf_free(&url);
	buf_free(&masked);
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "mem.h"

void
base64_encode(struct buf *out, const void *data, size_t len)
{
	char *room = len < INT_MAX ? buf_room(out, (len + 2) / 3 * 4 + 1) : NULL;

	if (room != NULL)
		buf_grew(out, (size_t)EVP_EncodeBlock((unsigned char *)room, data, (int)len));
}

bool
base64_decode(struct buf *out, const char *text, size_t len)
{
	size_t pad = 0;
	char *room;
	int n;

	if (len == 0)
		return true;
	/*
	 * EVP_DecodeBlock skips white space at both ends and hyphens at the end, so the
	 * padding count would be wrong
	 */
	if (len % 4 != 0 || len > INT_MAX || (unsigned char)text[0] <= ' ' ||
		(unsigned char)text[len - 1] <= ' ' || text[len - 1] == '-')
		return false;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	if (memchr(text, '=', len - pad) != NULL) /* OpenSSL decodes padding as zero bytes */
		return false;
	room = buf_room(out, len / 4 * 3 + 1);
	n = room == NULL
		? -1
		: EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)text, (int)len);
	if (n < 0) {
		/* what was decoded is perhaps half a secret, and over the end of out's text */
		if (room != NULL)
			mem_wipe(room, len / 4 * 3);
		return false;
	}
	buf_grew(out, (size_t)n - pad);
	return true;
}

bool
base64_decode_url(struct buf *out, const char *text, size_t len)
{
	size_t padded = len / 4 * 4 + (len % 4 != 0 ? 4 : 0);
	char *standard = mem_alloc(padded + 1);
	bool valid;

	for (size_t i = 0; i < padded; i++) {
		char c = i < len ? text[i] : '=';

		standard[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	valid = len % 4 != 1 && base64_decode(out, standard, padded);
	mem_wipe(standard, padded);
	free(standard);
	return valid;
}

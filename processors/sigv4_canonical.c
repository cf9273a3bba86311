// SPDX-License-Identifier: Apache-2.0
/* The canonical request: the same text for all equivalent forms of a request. */
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "sigv4.h"

enum { SEGMENTS_MAX = 512, PARAMETERS_MAX = 512 };

struct query_part {
	const char *at;
	size_t len, name_len; /* name_len: of a query parameter, up to its "=" */
};

void
sigv4_add_hex(struct buf *out, const unsigned char *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		buf_add_char(out, hex[data[i] >> 4]);
		buf_add_char(out, hex[data[i] & 15]);
	}
}

void
sigv4_add_hash(struct buf *out, const void *data, size_t len)
{
	unsigned char digest[32] = { 0 };

	EVP_Digest(len != 0 ? data : "", len, digest, NULL, EVP_sha256(), NULL);
	sigv4_add_hex(out, digest, sizeof(digest));
}

/* Percent-encodes the encoded path again, as every service except S3 requires. */
static void
add_encoded(struct buf *out, const struct query_part *span)
{
	for (size_t i = 0; i < span->len; i++) {
		unsigned char c = (unsigned char)span->at[i];

		if (isalnum(c) || strchr("-_.~", c) != NULL)
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* Without empty segments, "." and ".." (RFC 3986 5.2.4); a slash at the end is kept. */
static int
add_path(struct buf *out, const char *path, struct err *err)
{
	struct query_part segment[SEGMENTS_MAX];
	size_t n = 0, len;

	for (const char *p = path; *p != '\0'; p += len + (p[len] == '/')) {
		len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.'))
			continue;
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			n -= n != 0;
			continue;
		}
		if (n == SEGMENTS_MAX)
			return err_set(err, ERR_LIMIT, "a path of more than %d segments",
				SEGMENTS_MAX);
		segment[n++] = (struct query_part){ .at = p, .len = len };
	}
	for (size_t i = 0; i < n; i++) {
		buf_add_char(out, '/');
		add_encoded(out, &segment[i]);
	}
	if (n == 0 || path[strlen(path) - 1] == '/')
		buf_add_char(out, '/');
	return 0;
}

static int
compare_bytes(const char *a, size_t len_a, const char *b, size_t len_b)
{
	int c = memcmp(a, b, len_a < len_b ? len_a : len_b);

	return c != 0 ? c : (len_a > len_b) - (len_a < len_b);
}

static int
compare_parameters(const struct query_part *a, const struct query_part *b)
{
	int c = compare_bytes(a->at, a->name_len, b->at, b->name_len);
	size_t skip_a = a->name_len + (a->len > a->name_len),
	       skip_b = b->name_len + (b->len > b->name_len);

	return c != 0 ? c
		      : compare_bytes(a->at + skip_a, a->len - skip_a, b->at + skip_b,
				b->len - skip_b);
}

/* Sorted by name, then value; a parameter without a value gets its "=". */
static int
add_query(struct buf *out, const char *query, struct err *err)
{
	struct query_part parameter[PARAMETERS_MAX];
	size_t n = 0, len;

	if (*query == '\0')
		return 0;
	for (const char *p = query;; p += len + 1) {
		struct query_part one;
		size_t to = n;

		len = strcspn(p, "&");
		one = (struct query_part){ .at = p, .len = len, .name_len = strcspn(p, "=&") };
		if (n++ == PARAMETERS_MAX)
			return err_set(err, ERR_LIMIT, "a query of more than %d parameters",
				PARAMETERS_MAX);
		for (; to != 0 && compare_parameters(&parameter[to - 1], &one) > 0; to--)
			parameter[to] = parameter[to - 1];
		parameter[to] = one;
		if (p[len] == '\0')
			break;
	}
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			buf_add_char(out, '&');
		buf_add(out, parameter[i].at, parameter[i].len);
		if (parameter[i].name_len == parameter[i].len)
			buf_add_char(out, '=');
	}
	return 0;
}

/* Without white space at its ends; runs of white space become one space. */
static void
add_header_value(struct buf *out, const char *value)
{
	static const char blanks[] = " \t\r\n\v\f";

	for (const char *p = value + strspn(value, blanks); *p != '\0';) {
		size_t len = strcspn(p, blanks);

		buf_add(out, p, len);
		p += len;
		p += strspn(p, blanks);
		if (*p != '\0')
			buf_add_char(out, ' ');
	}
}

static void
add_lower(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		buf_add_char(out, (char)tolower((unsigned char)*name));
}

/* Lower-case names, sorted; values of the same name in their order, joined by commas. */
static void
add_headers(
	struct buf *out, struct buf *names, const struct sigv4_header *const *header, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i != 0 && strcasecmp(header[i]->name, header[i - 1]->name) == 0) {
			buf_add_char(out, ',');
		} else {
			if (i != 0) {
				buf_add_char(out, '\n');
				buf_add_char(names, ';');
			}
			add_lower(out, header[i]->name);
			add_lower(names, header[i]->name);
			buf_add_char(out, ':');
		}
		add_header_value(out, header[i]->value);
	}
	buf_add_char(out, '\n');
}

int
sigv4_canonical(const struct sigv4_request *request, const struct sigv4_header *more,
	struct buf *canonical, struct buf *names, struct err *err)
{
	const struct sigv4_header *header[SIGV4_HEADERS_MAX];
	size_t n = request->n_headers;

	for (const struct sigv4_header *one = more; one->name != NULL; one++)
		n++;
	if (n > SIGV4_HEADERS_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d headers to sign", SIGV4_HEADERS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct sigv4_header *one = i < request->n_headers
			? &request->header[i]
			: &more[i - request->n_headers];
		size_t to = i;

		for (; to != 0 && strcasecmp(header[to - 1]->name, one->name) > 0; to--)
			header[to] = header[to - 1];
		header[to] = one;
	}
	buf_add_str(canonical, request->method);
	buf_add_char(canonical, '\n');
	if (add_path(canonical, request->path, err) != 0)
		return -1;
	buf_add_char(canonical, '\n');
	if (add_query(canonical, request->query, err) != 0)
		return -1;
	buf_add_char(canonical, '\n');
	add_headers(canonical, names, header, n);
	buf_add_char(canonical, '\n');
	buf_add(canonical, buf_str(names), names->len);
	buf_add_char(canonical, '\n');
	sigv4_add_hash(canonical, request->body, request->body_len);
	if (!buf_ok(canonical) || !buf_ok(names))
		return err_set(err, ERR_LIMIT, "a request too large to sign");
	return 0;
}

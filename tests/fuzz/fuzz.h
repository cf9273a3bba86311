// SPDX-License-Identifier: Apache-2.0
/* What the fuzz targets share. */
#ifndef VCOURIER_FUZZ_H
#define VCOURIER_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input as strings: a NUL byte ends each of them. */
struct fuzz_parts {
	char *text; /* a copy of the input in memory of its own size */
	const char *next, *end;
};

void fuzz_parts_init(struct fuzz_parts *parts, const uint8_t *data, size_t size);
void fuzz_parts_free(struct fuzz_parts *parts);

/* The next string, which lives as long as *parts; "" after the last one. */
const char *fuzz_part(struct fuzz_parts *parts);

/* Everything after the strings that were taken, NUL bytes included. */
const char *fuzz_rest(struct fuzz_parts *parts, size_t *len);

/* Whether strings are left. */
bool fuzz_more(const struct fuzz_parts *parts);

/* The path of a file in memory with this content, until the next call. */
const char *fuzz_file(const void *data, size_t size);

/*
 * The next HTTP reply: a part with a letter for the status and header lines, a part with the
 * body. Letters: a 200, b 201, c 400, d 401, e 403, f 404, g 413, h 429, i 500, j 503, k no
 * reply, l 200 with a body that was cut off; A to L: the same, and a Date an hour ahead.
 */
struct http_response;
void fuzz_response(struct fuzz_parts *parts, struct http_response *rsp);

/* A request to fill in, valid until the next call. */
struct http_request;
struct http_request *fuzz_request(void);

/* What is written to stdout between the two calls; fuzz_printed returns a text to be freed. */
void fuzz_print_begin(void);
char *fuzz_printed(size_t *len);

#endif

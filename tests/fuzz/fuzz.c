// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"

/* libxml2 seeds its hash tables by the time: a constant makes runs repeatable. Exported. */
__attribute__((visibility("default"))) time_t
time(time_t *now)
{
	const time_t constant = 1700000000;

	if (now != NULL)
		*now = constant;
	return constant;
}

void
fuzz_parts_init(struct fuzz_parts *parts, const uint8_t *data, size_t size)
{
	parts->text = malloc(size + 1);
	if (size > 0)
		memcpy(parts->text, data, size);
	parts->text[size] = '\0';
	parts->next = parts->text;
	parts->end = parts->text + size;
}

void
fuzz_parts_free(struct fuzz_parts *parts)
{
	free(parts->text);
}

bool
fuzz_more(const struct fuzz_parts *parts)
{
	return parts->next < parts->end;
}

const char *
fuzz_part(struct fuzz_parts *parts)
{
	const char *part = parts->next;

	if (!fuzz_more(parts))
		return parts->end;
	parts->next += strlen(part) + 1;
	return part;
}

const char *
fuzz_rest(struct fuzz_parts *parts, size_t *len)
{
	const char *rest = fuzz_more(parts) ? parts->next : parts->end;

	*len = (size_t)(parts->end - rest);
	parts->next = parts->end;
	return rest;
}

const char *
fuzz_file(const void *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

void
fuzz_response(struct fuzz_parts *parts, struct http_response *rsp)
{
	static const int status[] = { 200, 201, 400, 401, 403, 404, 413, 429, 500, 503, 0,
		200 };
	const char *head = fuzz_part(parts), *body = fuzz_part(parts);
	size_t i = (unsigned char)(*head | 32) - (size_t)'a';

	i = i < sizeof(status) / sizeof(status[0]) ? i : 0;
	*rsp = (struct http_response){ .status = status[i],
		.headers = *head != '\0' ? head + 1 : head,
		.body = body,
		.body_len = strlen(body),
		.body_cut = i == 11,
		.retry_after_ms = -1 };
	if (*head >= 'A' && *head <= 'Z')
		rsp->date_us = clock_wall_us() + INT64_C(3600000000);
	if (status[i] == 0) {
		rsp->error = ERR_CONNECT;
		err_set(&rsp->why, ERR_CONNECT, "refused");
	}
}

struct http_request *
fuzz_request(void)
{
	static struct http_request *req;
	static struct http *http;
	struct err err;

	if (http == NULL && http_open(&http, &err) != 0)
		abort();
	if (req != NULL)
		http_request_free(http, req);
	req = http_request_new(http);
	return req;
}

/* ---- stdout */

static FILE *real_stdout;
static char *printed;
static size_t printed_len;

void
fuzz_print_begin(void)
{
	real_stdout = stdout;
	stdout = open_memstream(&printed, &printed_len);
	if (stdout == NULL)
		abort();
}

char *
fuzz_printed(size_t *len)
{
	fclose(stdout);
	stdout = real_stdout;
	*len = printed_len;
	return printed;
}

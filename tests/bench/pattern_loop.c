// SPDX-License-Identifier: Apache-2.0
/*
 * pattern_loop PATTERN EVENT N: seconds for N matches, and for N bare scans of the same event.
 */
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "pattern.h"

static void
load(const char *path, struct buf *text)
{
	FILE *f = fopen(path, "re");
	int c;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	while ((c = getc(f)) != EOF)
		buf_add_char(text, (char)c);
	fclose(f);
}

int
main(int argc, char **argv)
{
	struct buf pattern_text, event;
	struct pattern *pattern;
	struct err err;
	int64_t start, middle;
	long n, matched = 0, scanned = 0;

	if (argc != 4)
		return 64;
	n = atol(argv[3]);
	buf_init(&pattern_text, PATTERN_TEXT_MAX);
	buf_init(&event, 1 << 24);
	load(argv[1], &pattern_text);
	load(argv[2], &event);
	if (pattern_compile(&pattern, buf_str(&pattern_text), pattern_text.len, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	start = clock_monotonic_ms();
	for (long i = 0; i < n; i++)
		matched += pattern_match(pattern, buf_str(&event), event.len, &err);
	middle = clock_monotonic_ms();
	for (long i = 0; i < n; i++) {
		const char *p = buf_str(&event);

		scanned += json_skip_value(&p, p + event.len);
	}
	printf("%.3f %.3f %ld %ld\n", (double)(middle - start) / 1000,
		(double)(clock_monotonic_ms() - middle) / 1000, matched, scanned);
	pattern_free(pattern);
	buf_free(&pattern_text);
	buf_free(&event);
	return 0;
}

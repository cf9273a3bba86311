// SPDX-License-Identifier: Apache-2.0
/*
 * How fast pages become JSON, on one core, as a ratio to what cannot be avoided: libxml2's SAX2
 * parser over the same bytes with callbacks that do nothing, whole buffer at once (its fastest
 * way). Its push parser, which takes a page while it arrives, reaches 0.87 of that with such
 * callbacks. expat 2.5 takes 2.0 times the instructions of the SAX2 parser, 2.2 with namespaces
 * (callgrind).
 *
 *     normalize_bench PAGE...     a file holds one reply; all are taken in turn
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>

#include "mem.h"
#include "normalize.h"

enum { ROUNDS = 7, CHUNK = 16 * 1024 /* libcurl's */ };

static const double SECONDS = 0.6; /* of each measurement */

struct page {
	char *text;
	size_t len;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	const xmlChar **ns, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
	(void)ctx, (void)name, (void)prefix, (void)uri, (void)n_ns, (void)ns,
		(void)n_attributes, (void)n_defaulted, (void)attributes;
}

static void
on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)ctx, (void)name, (void)prefix, (void)uri;
}

static void
on_text(void *ctx, const xmlChar *text, int len)
{
	(void)ctx, (void)text, (void)len;
}

static size_t
bare(void *ctx, const struct page *page)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text };

	(void)ctx;
	if (xmlSAXUserParseMemory(&sax, NULL, page->text, (int)page->len) != 0)
		exit(1);
	return 0;
}

static size_t
ours(void *ctx, const struct page *page)
{
	struct normalize_page out;
	struct err err;

	normalizer_begin(ctx);
	for (size_t i = 0; i < page->len; i += CHUNK)
		normalizer_feed(ctx, page->text + i,
			page->len - i < CHUNK ? page->len - i : CHUNK, &err);
	if (normalizer_end(ctx, &out, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return out.n;
}

/* Bytes a second; *events a second. */
static double
measure(size_t (*work)(void *, const struct page *), void *ctx, const struct page *pages, int n,
	double *events)
{
	double start = now(), bytes = 0, count = 0, spent;

	do {
		for (int i = 0; i < n; i++) {
			count += (double)work(ctx, &pages[i]);
			bytes += (double)pages[i].len;
		}
	} while ((spent = now() - start) < SECONDS);
	*events = count / spent;
	return bytes / spent;
}

static struct page
load(const char *path)
{
	struct page page = { NULL, 0 };
	FILE *f = fopen(path, "r");
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(f);
	page.text = mem_alloc((size_t)size + 1);
	page.len = fread(page.text, 1, (size_t)size, f);
	fclose(f);
	return page;
}

int
main(int argc, char **argv)
{
	struct page *pages = mem_array((size_t)argc, sizeof(*pages));
	double best_bare = 0, best_ours = 0, best_ratio = 0, best_events = 0;
	struct normalizer *normalizer;

	for (int i = 1; i < argc; i++)
		pages[i - 1] = load(argv[i]);
	if (argc < 2)
		return 64;
	normalizer_open(&normalizer, NULL);
	for (int i = 0; i < ROUNDS;
		i++) { /* side by side: other work on the machine slows both */
		double events, b = measure(bare, NULL, pages, argc - 1, &events);
		double o = measure(ours, normalizer, pages, argc - 1, &events);

		best_bare = b > best_bare ? b : best_bare;
		best_ours = o > best_ours ? o : best_ours;
		best_events = events > best_events ? events : best_events;
		best_ratio = o / b > best_ratio ? o / b : best_ratio;
		printf("  libxml2 %.0f MB/s, normalizer %.0f MB/s, %.0f events/s, ratio %.2f\n",
			b / 1e6, o / 1e6, events, o / b);
	}
	printf("normalize: %.0f MB/s, %.0f k events/s, ratio %.2f to libxml2's %.0f MB/s\n",
		best_ours / 1e6, best_events / 1e3, best_ours / best_bare, best_bare / 1e6);
	normalizer_close(normalizer);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "catalogue_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "clock.h"
#include "mem.h"
#include "printable.h"

enum { TEXT_MAX = 16 * 1024 * 1024, UNSUBSCRIBE_MS = 2000 };

struct catalogue_cache {
	pthread_mutex_t lock;
	struct catalogue catalogue; /* keeps what the sources have described */
	bool any;
	int64_t described_ms, made_ms; /* 0: never */
	struct buf text;
};

struct catalogue_cache *
catalogue_cache_open(void)
{
	struct catalogue_cache *c = mem_alloc(sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	buf_init(&c->text, TEXT_MAX);
	return c;
}

void
catalogue_cache_close(struct catalogue_cache *c)
{
	if (c->any) {
		catalogue_asking_free(c->catalogue.asking);
		catalogue_free(&c->catalogue);
	}
	buf_free(&c->text);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void
add(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text == NULL)
		buf_add_str(out, "\"\"");
	else
		printable_add_json_string(out, text, strlen(text));
}

static void
write_all(struct catalogue_cache *c)
{
	size_t n;
	const struct catalogue_entry **list = catalogue_sorted(&c->catalogue, &n);
	struct buf *out = &c->text;

	buf_clear(out);
	buf_printf(out, "{\"described\":%s,\"events\":[",
		c->catalogue.described ? "true" : "false");
	for (size_t i = 0; i < n; i++) {
		const struct catalogue_entry *e = list[i];

		buf_add_str(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		printable_add_json_string(out, e->name, strlen(e->name));
		add(out, "class", e->eventclass);
		add(out, "base", e->base);
		add(out, "severity", e->severity);
		add(out, "category", e->category);
		add(out, "description", e->description);
		buf_printf(out, ",\"count\":%llu,\"last_ms\":%lld",
			(unsigned long long)e->events, (long long)(e->last_us / 1000));
		if (e->newest_seq != 0) {
			add(out, "stream", e->newest_stream);
			buf_printf(out, ",\"seq\":%llu", (unsigned long long)e->newest_seq);
		}
		buf_add_char(out, '}');
	}
	buf_add_str(out, "]}");
	free(list);
}

/* The names, with what the sources say of them. */
static int
describe(struct catalogue_cache *c, struct session *s, int64_t now, struct err *err)
{
	struct err ignored;
	char inbox[256];
	int rc;

	if (c->any && now - c->described_ms < CATALOGUE_DESCRIBED_MS) {
		catalogue_forget_counts(&c->catalogue);
		return 0;
	}
	if (c->any)
		catalogue_free(&c->catalogue);
	catalogue_init(&c->catalogue);
	c->any = true;
	c->described_ms = now;
	rc = catalogue_ask(&c->catalogue, s, err);
	snprintf(inbox, sizeof(inbox), "%s.catalogue", bus_inbox(s->bus));
	/* if that fails, replies may still come: then what takes them stays */
	if (bus_unsubscribe(s->bus, inbox, UNSUBSCRIBE_MS, &ignored) == 0)
		catalogue_asking_free(c->catalogue.asking);
	c->catalogue.asking = NULL;
	return rc;
}

int
catalogue_cache_write(
	struct catalogue_cache *c, struct session *s, struct buf *out, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	if (c->made_ms == 0 || now - c->made_ms > CATALOGUE_FRESH_MS) {
		rc = describe(c, s, now, err);
		if (rc == 0)
			rc = catalogue_count(&c->catalogue, s, err);
		if (rc == 0) {
			write_all(c);
			c->made_ms = now;
		}
	}
	if (rc == 0)
		buf_add(out, buf_str(&c->text), c->text.len);
	else
		session_explain(s, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

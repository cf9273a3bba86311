// SPDX-License-Identifier: Apache-2.0
#include "catalogue_report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "mem.h"
#include "protocol.h"
#include "subject.h"

enum {
	ASKED_MAX = 4, /* requests that wait; the others are answered at the next try */
	ENTRY_MAX = 4096,
};

struct catalogue_report {
	struct bus *bus;
	pthread_mutex_t lock;   /* for the members below */
	char *asked[ASKED_MAX]; /* reply subjects */
	size_t n;
};

/* The reply that is being written. */
struct writer {
	struct bus *bus;
	const char *subject;
	struct buf text;
	size_t n; /* events in it */
	bool any; /* in all replies */
};

/* A bus_on_msg. */
static void
on_request(void *report, struct bus_msg *msg)
{
	struct catalogue_report *r = report;

	pthread_mutex_lock(&r->lock);
	if (bus_msg_reply(msg)[0] != '\0' && r->n < ASKED_MAX)
		r->asked[r->n++] = mem_strdup(bus_msg_reply(msg));
	pthread_mutex_unlock(&r->lock);
	bus_msg_free(msg);
}

int
catalogue_report_open(
	struct catalogue_report **report, struct bus *bus, const char *name, struct err *err)
{
	struct catalogue_report *r = *report = mem_alloc(sizeof(*r));
	struct buf subject;
	int failed;

	r->bus = bus;
	pthread_mutex_init(&r->lock, NULL);
	buf_init(&subject, 192);
	buf_add_str(&subject, CATALOGUE_PREFIX ".");
	subject_add_token(&subject, name, strlen(name));
	failed = bus_subscribe(bus, buf_str(&subject), on_request, r, err);
	buf_free(&subject);
	return failed;
}

void
catalogue_report_close(struct catalogue_report *r)
{
	if (r == NULL)
		return;
	while (r->n > 0)
		free(r->asked[--r->n]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void
begin(struct writer *w)
{
	buf_clear(&w->text);
	buf_add_str(&w->text, "{\"events\":[");
	w->n = 0;
}

static void
finish(struct writer *w, bool more)
{
	struct bus_out out = { .subject = w->subject };
	struct err err;

	buf_printf(&w->text, "],\"more\":%s}", more ? "true" : "false");
	out.data = w->text.data;
	out.len = w->text.len;
	bus_publish(w->bus, &out, &err); /* when that fails the client asks again */
	begin(w);
}

/* A source_description_fn. */
static void
add(void *ctx, const struct source_description *d)
{
	struct writer *w = ctx;

	if (w->text.len + ENTRY_MAX > CATALOGUE_REPLY_BYTES)
		finish(w, true);
	buf_add_str(&w->text, w->n++ != 0 ? ",{" : "{");
	json_add_member(&w->text, "name", d->name);
	buf_add_char(&w->text, ',');
	json_add_member(&w->text, "severity", d->severity);
	buf_add_char(&w->text, ',');
	json_add_member(&w->text, "category", d->category);
	buf_add_char(&w->text, ',');
	json_add_member(&w->text, "description", d->text);
	buf_add_char(&w->text, '}');
	w->any = true;
}

void
catalogue_report_answer(
	struct catalogue_report *r, const struct source *source, const void *self)
{
	char *asked[ASKED_MAX];
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n;
	memcpy(asked, r->asked, n * sizeof(asked[0]));
	r->n = 0;
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < n; i++) {
		struct writer w = { .bus = r->bus, .subject = asked[i] };

		buf_init(&w.text, 2 * CATALOGUE_REPLY_BYTES);
		begin(&w);
		if (source->describe != NULL)
			source->describe(self, add, &w);
		if (w.any)
			finish(&w, false);
		buf_free(&w.text);
		free(asked[i]);
	}
}

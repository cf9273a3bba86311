// SPDX-License-Identifier: Apache-2.0
#include "vcenter_catalogue.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "severities.h"
#include "status.h"

enum { RETRY_MS = 5000 }; /* after a failure */

static const char check[] = "catalogue";

struct vcenter_catalogue {
	struct vim *vim;
	int64_t empty_grace_ms;
	struct severities names;
	int64_t since_ms; /* monotonic: when it was first needed; 0: not yet */
	int64_t due_ms;   /* monotonic: when to read it again */
	bool read_once, failed, waited;
};

struct reading {
	struct severities *names;
	size_t n;
};

struct vcenter_catalogue *
vcenter_catalogue_open(struct vim *vim, int64_t empty_grace_ms)
{
	struct vcenter_catalogue *t = mem_alloc(sizeof(*t));

	t->vim = vim;
	t->empty_grace_ms = empty_grace_ms;
	severities_init(&t->names);
	return t;
}

void
vcenter_catalogue_close(struct vcenter_catalogue *t)
{
	if (t == NULL)
		return;
	severities_free(&t->names);
	free(t);
}

static void
add(void *ctx, const struct vim_description *d)
{
	struct reading *r = ctx;

	severities_add(r->names, d->name, d->category, d->text);
	r->n++;
}

static void
failed(struct vcenter_catalogue *t, bool waiting, const struct err *err)
{
	status_check(check, !waiting, err->text);
	if (t->failed)
		return;
	t->failed = true;
	log_warn(t->names.by_name.n > 0
			? "no event descriptions: those known before are used"
			: "no event descriptions: without them severity is info unless the event has its own",
		L_ERR(err));
}

static void
succeeded(struct vcenter_catalogue *t)
{
	status_check(check, true, "");
	if (t->failed)
		log_info("event descriptions are read again",
			L_INT("names", (int64_t)t->names.by_name.n));
	t->failed = false;
}

void
vcenter_catalogue_refresh(struct vcenter_catalogue *t)
{
	t->due_ms = 0;
}

int
vcenter_catalogue_check(struct vcenter_catalogue *t, bool *wait, struct err *err)
{
	struct reading r = { .names = &t->names };
	int64_t now_ms = clock_monotonic_ms();

	if (t->since_ms == 0)
		t->since_ms = now_ms;
	*wait = t->names.by_name.n == 0 && now_ms - t->since_ms < t->empty_grace_ms;
	if (now_ms < t->due_ms && *wait == t->waited)
		return 0;
	t->waited = *wait;
	if (vim_event_descriptions(t->vim, add, &r, err) == 0 && r.n == 0)
		err_set(err, ERR_PROTOCOL, "the vCenter describes no events");
	if (r.n > 0) {
		t->due_ms = t->read_once ? INT64_MAX : now_ms + t->empty_grace_ms;
		t->read_once = true;
		*wait = false;
		succeeded(t);
		return 0;
	}
	t->due_ms = now_ms + RETRY_MS;
	failed(t, *wait, err);
	return vim_has_session(t->vim) ? 0 : -1;
}

const char *
vcenter_catalogue_severity(const struct vcenter_catalogue *t, const struct normalize_event *e)
{
	return severities_of(&t->names, e->severity, e->name, e->class_name);
}

void
vcenter_catalogue_each(
	const struct vcenter_catalogue *t, bool (*fn)(void *, const char *), void *ctx)
{
	const struct severity_entry *e = NULL;

	while ((e = table_next(&t->names.by_name, e)) != NULL && fn(ctx, e->name))
		;
}

void
vcenter_catalogue_describe(
	const struct vcenter_catalogue *t, source_description_fn *fn, void *ctx)
{
	const struct severity_entry *e = NULL;

	while ((e = table_next(&t->names.by_name, e)) != NULL)
		fn(ctx,
			&(struct source_description){
				e->name, e->severity, e->category, e->text });
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The vCenter's event descriptions: the severity of each event class. The severity becomes a
 * token of the subject, for good, so an answer that is empty or does not come must not turn
 * errors into infos: the descriptions that are known stay in use, and while none are known yet
 * events are not read, for up to emptyGrace. A vCenter that has just started may describe only
 * some of its events, so the descriptions are read again at each login, and once after the
 * first time.
 */
#ifndef VCOURIER_VCENTER_CATALOGUE_H
#define VCOURIER_VCENTER_CATALOGUE_H

#include "normalize.h"
#include "source.h"
#include "vim.h"

struct vcenter_catalogue;

/* empty_grace_ms: option emptyGrace. vim is borrowed. */
struct vcenter_catalogue *vcenter_catalogue_open(struct vim *vim, int64_t empty_grace_ms);
void vcenter_catalogue_close(struct vcenter_catalogue *t); /* NULL is fine */

void vcenter_catalogue_refresh(struct vcenter_catalogue *t); /* at the next check */

/*
 * Reads them when that is due. *wait: events must not be read yet. -1: the session is lost;
 * other failures are reported here, and tried again after 5 s.
 */
int vcenter_catalogue_check(struct vcenter_catalogue *t, bool *wait, struct err *err);

/* "info", "warning", "error" or "user"; constant. */
const char *vcenter_catalogue_severity(
	const struct vcenter_catalogue *t, const struct normalize_event *e);

/* Calls fn for each described name until it returns false. */
void vcenter_catalogue_each(
	const struct vcenter_catalogue *t, bool (*fn)(void *ctx, const char *name), void *ctx);

/* Calls fn for each of them. */
void vcenter_catalogue_describe(
	const struct vcenter_catalogue *t, source_description_fn *fn, void *ctx);

#endif

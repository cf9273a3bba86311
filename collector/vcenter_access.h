// SPDX-License-Identifier: Apache-2.0
/*
 * The account's privileges. Visible events are still read while some are hidden. The last
 * position up to which all were visible is kept (visibility.h), and reading restarts there once
 * access is granted. Reports the loss: log, /readyz (check "permission"), metric.
 */
#ifndef VCOURIER_VCENTER_ACCESS_H
#define VCOURIER_VCENTER_ACCESS_H

#include "vcenter_cursor.h"
#include "vcenter_window.h"

struct vcenter_access;

struct vcenter_access_options {
	const struct vcenter_window_reader *reader;
	struct vcenter_cursor *cursor; /* abandoned when reading has to restart */
	const char *user;              /* for the log */
	int64_t interval_ms;           /* between two questions, while nothing changes */
	int64_t grace_ms;              /* see visibility.h */
};

/* The options are copied; what they point to is borrowed. */
struct vcenter_access *vcenter_access_open(const struct vcenter_access_options *options);
void vcenter_access_close(struct vcenter_access *a); /* NULL is fine */

/* Asks when it is due. */
int vcenter_access_check(struct vcenter_access *a, struct err *err);

/*
 * When the account may see all events again: reads the hidden ones. *regained: that was done.
 */
enum source_result vcenter_access_regain(
	struct vcenter_access *a, bool *regained, struct err *err);

bool vcenter_access_is_limited(const struct vcenter_access *a); /* and that was reported */

void vcenter_access_recheck(struct vcenter_access *a); /* asks at the next check */
void vcenter_access_refused(struct vcenter_access *a); /* a call was: asks at the next check */
void vcenter_access_lower(struct vcenter_access *a);   /* the reading position went back */
void vcenter_access_stand_by(void);                    /* no session: it is not known */

#endif

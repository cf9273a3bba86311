// SPDX-License-Identifier: Apache-2.0
/* Subjects with wildcards that can match no event. */
#ifndef VCOURIER_SUBJECT_PATTERN_H
#define VCOURIER_SUBJECT_PATTERN_H

#include "err.h"

/*
 * Checks a subject with NATS wildcards against the form of all subjects of events,
 * <prefix>.<vCenter>.<datacenter>.<cluster>.<severity>.<class>.<EventName> or
 * ce.<source>.<type>. 0: it can match an event; ERR_USAGE: it cannot, err says why: `*` inside
 * a token, which NATS does not treat as a wildcard; too few or too many tokens; a severity or
 * class that does not exist; a character that subjects do not have.
 * https://docs.nats.io/nats-concepts/subjects#wildcards
 */
int subject_pattern_check(const char *pattern, const char *prefix, struct err *err);

#endif

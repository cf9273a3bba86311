// SPDX-License-Identifier: Apache-2.0
/*
 * EventBridge event patterns, evaluated here: the whole language with the semantics of AWS's
 * own engine (https://github.com/aws/event-ruler): exact, prefix, suffix, equals-ignore-case,
 * wildcard, anything-but, numeric, cidr, exists, $or, dotted keys, consistent arrays.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-content-based-filtering.html
 *
 * A pattern is compiled once. Matching scans the event's text: no tree, and no allocation once
 * the pattern's own scratch memory has grown to what the events need; that is why a pattern is
 * used by one thread at a time. Members of the event that the pattern does not name are only
 * skipped.
 *
 * Stricter than the library in two points: text after the end of the pattern or event is an
 * error, and a malformed $or is invalid (the library quietly takes it for a field of that
 * name).
 */
#ifndef VCOURIER_PATTERN_H
#define VCOURIER_PATTERN_H

#include <stddef.h>

#include "err.h"

struct pattern;

enum {
	PATTERN_TEXT_MAX = 16 * 1024, /* AWS stores at most 4096 characters */
	PATTERN_DEPTH_MAX = 64,
	/* limit of combinations by $or in a pattern; AWS's own limit */
	PATTERN_RULES_MAX = 1000,
};

/*
 * Compiles a pattern's JSON text. -1 and ERR_CONFIG when AWS would reject it, too: "Event
 * pattern is not valid. Reason: Unrecognized match type EXISTS at line: 1, column: 26".
 */
int pattern_compile(struct pattern **pattern, const char *json, size_t len, struct err *err);

/*
 * 1: the event matches, 0: it does not. -1: undecided, because the event is not a JSON object
 * (ERR_PROTOCOL) or its arrays need too many steps (ERR_LIMIT); deliver it in this case.
 */
int pattern_match(struct pattern *pattern, const char *event, size_t len, struct err *err);

/*
 * Treats every condition on this field (dotted path) as true, for a value that is not known
 * yet: the `id` that AWS will give to an event.
 */
void pattern_assume(struct pattern *pattern, const char *path);

void pattern_free(struct pattern *pattern); /* NULL is fine */

#endif

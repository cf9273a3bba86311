// SPDX-License-Identifier: Apache-2.0
/*
 * The filter of a Knative Trigger: `filter.attributes`, or the dialects of `filters`
 * (https://knative.dev/docs/eventing/features/new-trigger-filters/), which are those of the
 * CloudEvents Subscriptions API. `cesql` is refused by name.
 */
#ifndef VCOURIER_FUNCTION_FILTER_H
#define VCOURIER_FUNCTION_FILTER_H

#include <stdbool.h>

#include "config.h"
#include "event.h"

enum { FUNCTION_FILTER_TERMS_MAX = 256 };

struct function_filter;

/*
 * attributes: names and values alternating, NULL-terminated, as CONFIG_MAP gives them; NULL:
 * none. filters: the list of expressions, or NULL; if it has any, the attributes are ignored,
 * as Knative does. Without both, every event matches. NULL: errors were added at `where` or at
 * the expression.
 */
struct function_filter *function_filter_new(char *const *attributes,
	const struct config_node *filters, const struct config_node *where,
	struct config_errors *errors);
void function_filter_free(struct function_filter *filter);

/* type: the event's type in the dialect that is sent. */
bool function_filter_match(
	const struct function_filter *filter, const struct event *ev, const char *type);

/*
 * The dialect in which the filter names types: that of its `type` values; the event router's
 * when it has none.
 */
enum event_type_style function_filter_style(const struct function_filter *filter);

bool function_filter_same(const struct function_filter *a, const struct function_filter *b);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "dispatcher_options.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "pattern.h"

#define MINUTE (60 * INT64_C(1000))
#define DAY (24 * 60 * MINUTE)

static const char *const backoff_policies[] = { "exponential", "linear", NULL };
static const char *const orderings[] = { "none", "key", "strict", NULL };

static const struct config_field retry_fields[] = {
	{ "maxAge", CONFIG_DURATION, offsetof(struct dispatch_retry, max_age_ms), .def = "24h",
		.min = 1000, .max = 365 * DAY,
		.help = "How long an event is tried before it becomes a dead letter, counted from its first try." },
	{ "initial", CONFIG_DURATION, offsetof(struct dispatch_retry, initial_ms), .def = "1s",
		.min = 1, .max = 60 * MINUTE,
		.help = "Longest wait before the second try; doubles with each further one. The wait is drawn "
			"evenly from nothing to that (full jitter)." },
	{ "max", CONFIG_DURATION, offsetof(struct dispatch_retry, max_ms), .def = "5m",
		.min = 1, .max = DAY, .help = "Where the doubling ends." },
	{ "retryAfterMax", CONFIG_DURATION, offsetof(struct dispatch_retry, retry_after_max_ms),
		.def = "10m", .max = DAY,
		.help = "How long a destination's `Retry-After` is obeyed at most." },
	{ "rejectGrace", CONFIG_DURATION, offsetof(struct dispatch_retry, reject_grace_ms),
		.def = "60s", .max = DAY,
		.help = "How long events are tried again that a destination refuses (400, 413, 415, 422, a redirect) "
			"while it takes no other event: an ingress that starts or a proxy may refuse anything. `0s`: a refused "
			"event is a dead letter at once." },
	{ "maxDeliveries", CONFIG_INT, offsetof(struct dispatch_retry, max_deliveries),
		.def = "20", .min = 2, .max = 1000000,
		.help = "An event that NATS had to give out this often without hearing a verdict, as when it crashes "
			"the process, is set aside as a dead letter, unread." },
	{ "retry", CONFIG_INT, offsetof(struct dispatch_retry, count), .def = "-1", .min = -1,
		.max = 1000000,
		.help = "Tries after the first, as in Knative's DeliverySpec; then a dead letter. -1: no such limit, "
			"only `maxAge`." },
	{ "backoffPolicy", CONFIG_ENUM, offsetof(struct dispatch_retry, policy),
		.def = "exponential", .choices = backoff_policies,
		.help = "How the longest wait grows with each try: it doubles, or by `backoffDelay` each time." },
	{ "backoffDelay", CONFIG_DURATION, offsetof(struct dispatch_retry, delay_ms),
		.max = 60 * MINUTE,
		.help = "The DeliverySpec's word for `initial`; `PT0.2S` and the like are understood." },
	{ "timeout", CONFIG_DURATION, offsetof(struct dispatch_retry, timeout_ms),
		.max = 60 * MINUTE, .help = "The DeliverySpec's place for `timeout`." },
	{ NULL },
};

static const struct config_field filter_fields[] = {
	{ "subject", CONFIG_STRING, offsetof(struct dispatch_filter, subject),
		.help = "NATS subject with wildcards that events must match, as "
			"`vc.*.*.*.error.>`. NATS filters, so the rest costs nothing." },
	{ "pattern", CONFIG_JSON, offsetof(struct dispatch_filter, pattern),
		.help = "Event pattern in EventBridge's language, over the whole CloudEvent: attributes and `data`." },
	{ NULL },
};

const struct config_field dispatcher_options_fields[] = {
	{ "concurrency", CONFIG_INT, offsetof(struct dispatch_options, concurrency),
		.def = "64", .min = 1, .max = 4096,
		.help = "Requests in flight at the same time." },
	{ "concurrencyPerTarget", CONFIG_INT,
		offsetof(struct dispatch_options, concurrency_per_target), .def = "0",
		.max = 4096,
		.help = "Requests in flight to one function. 0: a quarter of `concurrency` where a backend has several "
			"targets, all of it otherwise." },
	{ "timeout", CONFIG_DURATION, offsetof(struct dispatch_options, timeout_ms),
		.def = "30s", .min = 10, .max = 60 * MINUTE,
		.help = "How long one request may take, all of it." },
	{ "ackWait", CONFIG_DURATION, offsetof(struct dispatch_options, ack_wait_ms),
		.def = "60s", .min = 1000, .max = 60 * MINUTE,
		.help = "When a dispatcher dies, NATS gives its events to another one after this long. Slower deliveries "
			"are announced to NATS, so this need not be longer than `timeout`." },
	{ "bufferSize", CONFIG_SIZE, offsetof(struct dispatch_options, buffer_bytes),
		.def = "32MiB", .min = 1024 * 1024, .max = INT64_C(4) << 30,
		.help = "Bytes of events held in memory at most." },
	{ "emptyGrace", CONFIG_DURATION, offsetof(struct dispatch_options, empty_grace_ms),
		.def = "30s", .max = 60 * MINUTE,
		.help = "How long it must be so that a backend lists no functions or rules, or one less than before, "
			"until events are filtered for it. Until then they wait, or go where they went. 0: it is believed "
			"at once." },
	{ "retry", CONFIG_OBJECT, offsetof(struct dispatch_options, retry),
		.fields = retry_fields,
		.help = "What happens to events that could not be delivered." },
	{ "filter", CONFIG_OBJECT, offsetof(struct dispatch_options, filter),
		.fields = filter_fields,
		.help = "Which events this dispatcher is for. Default: all." },
	{ "ordering", CONFIG_ENUM, offsetof(struct dispatch_options, ordering), .def = "none",
		.choices = orderings,
		.help = "`none`: as fast as it goes. `key`: events of one managed entity one after the other; run one "
			"replica. `strict`: one event at a time, in the order of vCenter; a failing event holds up all." },
	{ "deadLetterSink", CONFIG_OBJECT, offsetof(struct dispatch_options, dead_letter_sink),
		.fields = destination_fields,
		.help = "A destination that gets each dead letter too, as an event with the extensions "
			"`knativeerrordest`, `knativeerrorcode` and `knativeerrordata`." },
	{ "startFrom", CONFIG_STRING, offsetof(struct dispatch_options, start_from),
		.def = "earliest",
		.help = "Where a dispatcher that NATS has not seen before begins: `earliest`, `now`, or a time "
			"(RFC 3339)." },
	{ NULL },
};

bool
dispatcher_options_start_parse(const char *text, enum dispatch_start *start, int64_t *time_us)
{
	if (strcmp(text, "earliest") == 0)
		*start = START_EARLIEST;
	else if (strcmp(text, "now") == 0)
		*start = START_NOW;
	else if (clock_parse(text, strlen(text), time_us))
		*start = START_TIME;
	else
		return false;
	return true;
}

/* An empty block is as good as none: so the effective configuration can be read again. */
static bool
is_given(const struct destination *d)
{
	return d->uri != NULL || d->ref.kind != NULL || d->audience != NULL ||
		d->ca_certs != NULL;
}

/* What a table cannot say. */
static int
check(const struct config_node *node, const struct dispatch_options *o,
	struct config_errors *errors)
{
	const struct config_node *filter = config_get(node, "filter");
	enum dispatch_start start;
	struct pattern *pattern;
	size_t before = errors->n;
	int64_t time_us;
	struct err err;

	if (!dispatcher_options_start_parse(o->start_from, &start, &time_us))
		config_error(errors, config_get(node, "startFrom"),
			"must be earliest, now or a time");
	if (is_given(&o->dead_letter_sink) &&
		destination_check(&o->dead_letter_sink, false, &err) != 0)
		config_error(errors, config_get(node, "deadLetterSink"), "%s", err.text);
	if (o->retry.initial_ms > o->retry.max_ms)
		config_error(errors, config_get(node, "retry"),
			"initial must not be longer than max");
	if (o->filter.subject != NULL &&
		(o->filter.subject[0] == '\0' || strpbrk(o->filter.subject, " \t\r\n") != NULL))
		config_error(errors, config_get(filter, "subject"), "is no NATS subject");
	if (o->filter.pattern == NULL)
		return errors->n == before ? 0 : -1;
	if (pattern_compile(&pattern, o->filter.pattern, strlen(o->filter.pattern), &err) == 0)
		pattern_free(pattern);
	else
		config_error(errors, config_get(filter, "pattern"), "%s", err.text);
	return errors->n == before ? 0 : -1;
}

int
dispatcher_options_bind(const struct router_config *config, const struct router_entry *entry,
	void *options, struct config_errors *errors)
{
	struct dispatcher_options *o = options;

	(void)config;
	if (processor_options_bind(entry, dispatcher_options_fields, &o->common,
		    sizeof(o->common), &o->processor, errors) != 0)
		return -1;
	return check(entry->node, &o->common, errors);
}

void
dispatcher_options_release(void *options)
{
	struct dispatcher_options *o = options;

	processor_options_release(&o->processor);
	config_release(dispatcher_options_fields, &o->common);
}

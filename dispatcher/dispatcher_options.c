// SPDX-License-Identifier: Apache-2.0
#include "dispatcher_options.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "event_streams.h"
#include "pattern.h"

#define MINUTE (60 * INT64_C(1000))
#define DAY (24 * 60 * MINUTE)

static const char *const backoff_policies[] = { "exponential", "linear", NULL };
static const char *const orderings[] = { "none", "key", "strict", NULL };

static const struct config_field retry_fields[] = {
	{ "maxAge", CONFIG_DURATION, offsetof(struct dispatch_retry, max_age_ms), .def = "24h",
		.min = 1000, .max = 365 * DAY,
		.help = "How long an event is retried, counted from its first attempt. Then it becomes "
			"a dead letter." },
	{ "initial", CONFIG_DURATION, offsetof(struct dispatch_retry, initial_ms), .def = "1s",
		.min = 1, .max = 60 * MINUTE,
		.help = "Longest wait before the second attempt. It doubles with each further attempt. "
			"The actual wait is a random time between zero and this limit (full jitter)." },
	{ "max", CONFIG_DURATION, offsetof(struct dispatch_retry, max_ms), .def = "5m",
		.min = 1, .max = DAY, .help = "Upper limit of the doubled wait." },
	{ "retryAfterMax", CONFIG_DURATION, offsetof(struct dispatch_retry, retry_after_max_ms),
		.def = "10m", .max = DAY,
		.help = "Longest `Retry-After` of a destination that is obeyed." },
	{ "rejectGrace", CONFIG_DURATION, offsetof(struct dispatch_retry, reject_grace_ms),
		.def = "60s", .max = DAY,
		.help = "How long a refused event (400, 413, 415, 422, a redirect) is retried while "
			"the destination accepts no other event, because a starting ingress or a proxy "
			"may refuse everything. `0s`: a refused event becomes a dead letter at once." },
	{ "maxDeliveries", CONFIG_INT, offsetof(struct dispatch_retry, max_deliveries),
		.def = "20", .min = 2, .max = 1000000,
		.help = "An event that NATS has delivered so many times without an acknowledgement, "
			"for example because it crashes the process, becomes a dead letter without "
			"being read." },
	{ "retry", CONFIG_INT, offsetof(struct dispatch_retry, count), .def = "-1", .min = -1,
		.max = 1000000,
		.help = "Attempts after the first one, as in Knative's DeliverySpec. Then the event "
			"becomes a dead letter. -1: no limit except `maxAge`." },
	{ "backoffPolicy", CONFIG_ENUM, offsetof(struct dispatch_retry, policy),
		.def = "exponential", .choices = backoff_policies,
		.help = "How the longest wait grows with each attempt: it doubles (exponential), or "
			"grows by `backoffDelay` (linear)." },
	{ "backoffDelay", CONFIG_DURATION, offsetof(struct dispatch_retry, delay_ms),
		.max = 60 * MINUTE,
		.help = "The DeliverySpec's name for `initial`. ISO 8601 durations such as `PT0.2S` "
			"are accepted." },
	{ "timeout", CONFIG_DURATION, offsetof(struct dispatch_retry, timeout_ms),
		.max = 60 * MINUTE, .help = "The DeliverySpec's position of `timeout`." },
	{ NULL },
};

static const struct config_field filter_fields[] = {
	{ "subject", CONFIG_STRING, offsetof(struct dispatch_filter, subject),
		.help = "NATS subject, with wildcards, that events must match, such as "
			"`vc.*.*.*.error.>`. NATS applies it, so other events cost nothing." },
	{ "pattern", CONFIG_JSON, offsetof(struct dispatch_filter, pattern),
		.help = "Event pattern in EventBridge's language for the whole CloudEvent: attributes "
			"and `data`." },
	{ NULL },
};

#define PER_VCENTER(member) .offset = offsetof(struct dispatch_per_vcenter, member)

static const struct config_field per_vcenter_fields[] = {
	{ "vcenters", CONFIG_STRINGS, PER_VCENTER(vcenters), CONFIG_REQUIRED,
		.help = "Names of eventProviders, or patterns of names of vCenters such as "
			"`berlin-*`. A pattern selects vCenters only." },
	{ "filter", CONFIG_OBJECT, PER_VCENTER(filter), .fields = filter_fields,
		.help = "Replaces the dispatcher's `filter`." },
	{ "startFrom", CONFIG_STRING, PER_VCENTER(start_from),
		.help = "Replaces the dispatcher's `startFrom`." },
	{ NULL },
};

const struct config_field dispatcher_options_fields[] = {
	{ "concurrency", CONFIG_INT, offsetof(struct dispatch_options, concurrency),
		.def = "64", .min = 1, .max = 4096,
		.help = "Largest number of requests in flight." },
	{ "concurrencyPerTarget", CONFIG_INT,
		offsetof(struct dispatch_options, concurrency_per_target), .def = "0",
		.max = 4096,
		.help = "Largest number of requests in flight to one function. 0: a quarter of "
			"`concurrency` if the backend has several targets, otherwise all of it." },
	{ "timeout", CONFIG_DURATION, offsetof(struct dispatch_options, timeout_ms),
		.def = "30s", .min = 10, .max = 60 * MINUTE,
		.help = "Time limit of a whole request." },
	{ "ackWait", CONFIG_DURATION, offsetof(struct dispatch_options, ack_wait_ms),
		.def = "60s", .min = 1000, .max = 60 * MINUTE,
		.help = "Time after which NATS gives the events of a killed dispatcher to another one. "
			"The dispatcher reports slower deliveries to NATS, so this need not be longer "
			"than `timeout`." },
	{ "bufferSize", CONFIG_SIZE, offsetof(struct dispatch_options, buffer_bytes),
		.def = "32MiB", .min = 1024 * 1024, .max = INT64_C(4) << 30,
		.help = "Largest number of bytes of events in memory." },
	{ "emptyGrace", CONFIG_DURATION, offsetof(struct dispatch_options, empty_grace_ms),
		.def = "30s", .max = 60 * MINUTE,
		.help = "How long a backend must list no functions or rules, or fewer than before, "
			"until this takes effect. Until then, events wait or are sent to the previous "
			"targets. 0: it takes effect at once." },
	{ "retry", CONFIG_OBJECT, offsetof(struct dispatch_options, retry),
		.fields = retry_fields,
		.help = "Retries of events that could not be delivered." },
	{ "filter", CONFIG_OBJECT, offsetof(struct dispatch_options, filter),
		.fields = filter_fields,
		.help = "The events that this dispatcher delivers. Default: all." },
	{ "vcenters", CONFIG_STRINGS, offsetof(struct dispatch_options, vcenters),
		.help = "The vCenters whose events this dispatcher delivers: names of "
			"eventProviders, or patterns such as `berlin-*`. Default: all. So a fleet is "
			"split over several dispatchers. A webhook is selected by its name, and by no "
			"pattern." },
	{ "discover", CONFIG_BOOL, offsetof(struct dispatch_options, discover), .def = "false",
		.help = "Also delivers the events of vCenters that no eventProvider of this file "
			"names: every stream `VC_<name>` on the bus whose subjects begin with "
			"`bus.subjectPrefix`, and `CE_<name>`, as far as `vcenters` selects them. A new "
			"one is found within 10 s. The file then needs no eventProvider." },
	{ "perVcenter", CONFIG_OBJECTS, offsetof(struct dispatch_options, per_vcenter),
		.fields = per_vcenter_fields, .item_size = sizeof(struct dispatch_per_vcenter),
		.help = "Other settings for some vCenters. The first block that names a vCenter "
			"counts." },
	{ "ordering", CONFIG_ENUM, offsetof(struct dispatch_options, ordering), .def = "none",
		.choices = orderings,
		.help = "`none`: as fast as possible. `key`: events of one managed entity one after "
			"the other; run one replica. `strict`: one event at a time, in the order of "
			"vCenter; a failing event delays all others." },
	{ "deadLetterSink", CONFIG_OBJECT, offsetof(struct dispatch_options, dead_letter_sink),
		.fields = destination_fields,
		.help = "A destination that also receives each dead letter, as an event with the "
			"extensions `knativeerrordest`, `knativeerrorcode` and `knativeerrordata`." },
	{ "startFrom", CONFIG_STRING, offsetof(struct dispatch_options, start_from),
		.def = "earliest",
		.help = "Where a new dispatcher starts, whose consumer does not exist in NATS yet: "
			"`earliest`, `now`, or a time (RFC 3339)." },
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

/* node: the block with the members startFrom and filter. */
static void
check_start(
	const struct config_node *node, const char *start_from, struct config_errors *errors)
{
	enum dispatch_start start;
	int64_t time_us;

	if (!dispatcher_options_start_parse(start_from, &start, &time_us))
		config_error(errors, config_get(node, "startFrom"),
			"must be earliest, now or a time");
}

static void
check_filter(const struct config_node *node, const struct dispatch_filter *f,
	struct config_errors *errors)
{
	const struct config_node *filter = config_get(node, "filter");
	struct pattern *pattern;
	struct err err;

	if (f->subject != NULL &&
		(f->subject[0] == '\0' || strpbrk(f->subject, " \t\r\n") != NULL))
		config_error(errors, config_get(filter, "subject"), "is no NATS subject");
	if (f->pattern == NULL)
		return;
	if (pattern_compile(&pattern, f->pattern, strlen(f->pattern), &err) == 0)
		pattern_free(pattern);
	else
		config_error(errors, config_get(filter, "pattern"), "%s", err.text);
}

/* What a table cannot say. */
static void
check(const struct config_node *node, const struct dispatch_options *o,
	struct config_errors *errors)
{
	const struct dispatch_per_vcenter *one = o->per_vcenter.items;
	struct err err;

	check_start(node, o->start_from, errors);
	check_filter(node, &o->filter, errors);
	for (size_t i = 0; i < o->per_vcenter.n; i++, one++) {
		const struct config_node *block = config_item(
			config_get(node, "perVcenter"), i);

		if (one->start_from != NULL)
			check_start(block, one->start_from, errors);
		check_filter(block, &one->filter, errors);
	}
	if (is_given(&o->dead_letter_sink) &&
		destination_check(&o->dead_letter_sink, false, &err) != 0)
		config_error(errors, config_get(node, "deadLetterSink"), "%s", err.text);
	if (o->retry.initial_ms > o->retry.max_ms)
		config_error(errors, config_get(node, "retry"),
			"initial must not be longer than max");
}

int
dispatcher_options_bind(const struct router_config *config, const struct router_entry *entry,
	void *options, struct config_errors *errors)
{
	struct dispatcher_options *o = options;
	struct processor_common common = { dispatcher_options_fields, &o->common,
		sizeof(o->common) };

	size_t before = errors->n;

	if (processor_options_bind(entry, &common, &o->processor, errors) != 0)
		return -1;
	check(entry->node, &o->common, errors);
	event_streams_check(config, entry->node, &o->common, errors);
	return errors->n == before ? 0 : -1;
}

void
dispatcher_options_release(void *options)
{
	struct dispatcher_options *o = options;

	processor_options_release(&o->processor);
	config_release(dispatcher_options_fields, &o->common);
}

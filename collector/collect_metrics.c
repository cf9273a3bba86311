// SPDX-License-Identifier: Apache-2.0
#include "collect_metrics.h"

#include <stdio.h>
#include <string.h>

#include "bus_metrics.h"
#include "metrics.h"
#include "stats.h"

#define PREFIX "vcourier_collector_"
#define EVENTS PREFIX "events_total"
#define EVENTS_HELP "Events read from the source, by what became of them."
#define UP "vcourier_up"
#define UP_HELP "1 when the peer can be used."

static struct {
	struct metric *read, *published, *duplicate, *rejected, *retried;
	struct metric *last_key, *last_time, *in_flight, *ack_seconds, *leader, *identities;
	struct metric *fenced, *source_up;
	struct bus_metrics nats;
	/* totals at the last update */
	uint64_t n_read, n_published, n_duplicate, n_rejected, n_retried;
} m;

static struct metric *
publish_errors(enum err_code code)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "code=\"%s\"", err_name(code));
	return metric_counter(
		PREFIX "publish_errors_total", labels, "Publishes refused or lost, by reason.");
}

void
collect_metrics_init(const char *source_name)
{
	char labels[64];

	memset(&m, 0, sizeof(m)); /* a second run's totals begin at 0 */
	m.read = metric_counter(PREFIX "events_read_total", "",
		"Events read from the source, overlaps included.");
	m.published = metric_counter(EVENTS, "result=\"published\"", EVENTS_HELP);
	m.duplicate = metric_counter(EVENTS, "result=\"duplicate\"", EVENTS_HELP);
	m.rejected = metric_counter(EVENTS, "result=\"rejected\"", EVENTS_HELP);
	m.retried = metric_counter(EVENTS, "result=\"retried\"", EVENTS_HELP);
	m.last_key = metric_gauge(PREFIX "last_event_key", "",
		"Key of the newest event published; alarm near 2^31.");
	m.last_time = metric_gauge(PREFIX "last_event_timestamp_seconds", "",
		"createdTime of the newest event published.");
	m.in_flight = metric_gauge(PREFIX "publish_in_flight", "", "Publishes without an ack.");
	m.ack_seconds = metric_gauge(
		PREFIX "publish_ack_seconds", "", "Publish to ack, of the newest ack.");
	m.leader = metric_gauge(PREFIX "leader", "", "1: this collector reads; 0: standby.");
	m.identities = metric_gauge(PREFIX "known_events", "",
		"Stored events remembered, to suppress what is read again.");
	m.fenced = metric_counter(
		PREFIX "fenced_total", "", "Times another writer was ahead of us.");
	for (enum err_code code = ERR_NONE + 1; code <= ERR_LAST; code++)
		publish_errors(code);
	bus_metrics_init(&m.nats);
	snprintf(labels, sizeof(labels), "peer=\"%s\"", source_name);
	m.source_up = metric_gauge(UP, labels, UP_HELP);
}

static void
advance(struct metric *metric, uint64_t now, uint64_t *last)
{
	metric_add(metric, now - *last);
	*last = now;
}

void
collect_metrics_update(const struct collect_metrics_view *v)
{
	const struct source_status *s = &v->source;

	stats_events(v->publisher.published - m.n_published, s->rejected - m.n_rejected);
	advance(m.published, v->publisher.published, &m.n_published);
	advance(m.read, s->read, &m.n_read);
	advance(m.duplicate, s->suppressed + v->publisher.duplicates, &m.n_duplicate);
	advance(m.retried, v->taken_back, &m.n_retried);
	advance(m.rejected, s->rejected, &m.n_rejected);
	bus_metrics_update(&m.nats, v->bus);
	metric_set(m.in_flight, (double)v->publisher.in_flight);
	metric_set(m.ack_seconds, v->publisher.last_ack_seconds);
	metric_set(m.identities, (double)v->identities);
	metric_set(m.source_up, s->connected);
	metric_set(m.leader, v->leader);
	if (s->any) {
		metric_set(m.last_key, (double)s->newest.key);
		metric_set(m.last_time, (double)s->newest.created_us / 1e6);
	}
}

void
collect_metrics_publish_error(enum err_code code)
{
	metric_add(publish_errors(code), 1);
	if (code == ERR_CONFLICT)
		metric_add(m.fenced, 1);
}

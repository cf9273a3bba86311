// SPDX-License-Identifier: Apache-2.0
/* The collector's metrics; every series is there from the start, at 0. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "metrics.h"
#include "stats.h"

#define PREFIX "vcourier_collector_"
#define EVENTS PREFIX "events_total"
#define ORDER PREFIX "events_out_of_order_total"
#define ORDER_HELP \
	"Events stored whose date is ahead of the vCenter's clock, or far behind what was read."
#define EVENTS_HELP "Events read from the vCenter, by what became of them."

static struct {
	struct metric *read, *published, *duplicate, *rejected, *retried, *unknown, *trimmed,
		*stubs, *repaired, *bad_chars;
	struct metric *last_key, *last_time, *lag, *backlog, *in_flight, *ack_seconds, *skew,
		*leader, *identities;
	struct metric *polls_ok, *polls_failed, *gaps, *epochs, *reconnects, *nats_up,
		*vcenter_up, *burst, *lacking;
	struct metric *ahead, *behind, *before_start;
	struct publisher_stats last;
	uint64_t last_read, last_duplicates, last_retried, last_rejected, last_reconnects;
} m;

void
collect_metrics_init(void)
{
	memset(&m, 0, sizeof(m)); /* a second run counts on: its own totals begin at 0 */
	m.read = metric_counter(PREFIX "events_read_total", "",
		"Events read from the vCenter, overlaps included.");
	m.published = metric_counter(EVENTS, "result=\"published\"", EVENTS_HELP);
	m.duplicate = metric_counter(EVENTS, "result=\"duplicate\"", EVENTS_HELP);
	m.rejected = metric_counter(EVENTS, "result=\"rejected\"", EVENTS_HELP);
	m.retried = metric_counter(EVENTS, "result=\"retried\"", EVENTS_HELP);
	m.before_start = metric_counter(EVENTS, "result=\"before_start\"", EVENTS_HELP);
	m.ahead = metric_counter(ORDER, "date=\"ahead\"", ORDER_HELP);
	m.behind = metric_counter(ORDER, "date=\"behind\"", ORDER_HELP);
	m.unknown = metric_counter(PREFIX "schema_unknown_total", "",
		"Events of a class or with a member that is in no table.");
	m.trimmed = metric_counter(PREFIX "events_truncated_total", "",
		"Events larger than a message, members left out, or names cut.");
	m.stubs = metric_counter(PREFIX "events_stubbed_total", "",
		"Events stored with their key and time and little else: no more fitted.");
	m.repaired = metric_counter(
		PREFIX "pages_repaired_total", "", "Pages that were not well formed.");
	m.bad_chars = metric_counter(PREFIX "bad_characters_total", "",
		"Bytes that were no UTF-8 or no XML, now U+FFFD.");
	m.burst = metric_counter(PREFIX "burst_events_total", "",
		"EventBurst* events: the vCenter folded identical events.");
	m.last_key = metric_gauge(PREFIX "last_event_key", "",
		"Key of the newest event published; alarm near 2^31.");
	m.last_time = metric_gauge(PREFIX "last_event_timestamp_seconds", "",
		"createdTime of the newest event published.");
	m.lag = metric_gauge(PREFIX "lag_seconds", "",
		"How far the newest event that is stored is behind the vCenter's latest.");
	m.backlog = metric_gauge(PREFIX "backlog_events", "",
		"Keys between the newest event that is stored and the latest.");
	m.in_flight = metric_gauge(PREFIX "publish_in_flight", "", "Publishes without an ack.");
	m.ack_seconds = metric_gauge(
		PREFIX "publish_ack_seconds", "", "Publish to ack, of the newest ack.");
	m.skew = metric_gauge(
		PREFIX "clock_skew_seconds", "", "The vCenter's clock less ours, at login.");
	m.leader = metric_gauge(PREFIX "leader", "", "1: this collector reads; 0: standby.");
	m.identities = metric_gauge(PREFIX "identities", "",
		"Stored events remembered, to suppress what is read again.");
	m.polls_ok = metric_counter(
		PREFIX "polls_total", "result=\"ok\"", "ReadNextEvents calls.");
	m.polls_failed = metric_counter(
		PREFIX "polls_total", "result=\"error\"", "ReadNextEvents calls.");
	m.gaps = metric_counter(PREFIX "event_gap_total", "",
		"Spans that left the vCenter before they were read.");
	m.epochs = metric_counter(
		PREFIX "epochs_total", "", "Times the vCenter's database or clock went back.");
	m.lacking = metric_gauge(PREFIX "permission_missing", "",
		"1: the account may not see all events of the vCenter.");
	m.reconnects = metric_counter(
		"vcourier_nats_reconnects_total", "", "Reconnects to NATS.");
	m.nats_up = metric_gauge(
		"vcourier_up", "peer=\"nats\"", "1 when the peer can be used.");
	m.vcenter_up = metric_gauge(
		"vcourier_up", "peer=\"vcenter\"", "1 when the peer can be used.");
}

static void
advance(struct metric *metric, uint64_t now, uint64_t *last)
{
	metric_add(metric, now - *last);
	*last = now;
}

void
collect_metrics_update(struct collect *c)
{
	struct publisher_stats s;

	publisher_stats(c->publisher, &s);
	stats_events(s.published - m.last.published, c->rejected - m.last_rejected);
	advance(m.published, s.published, &m.last.published);
	advance(m.read, c->read, &m.last_read);
	advance(m.duplicate, c->duplicates + s.duplicates, &m.last_duplicates);
	advance(m.retried, c->retried, &m.last_retried);
	advance(m.rejected, c->rejected, &m.last_rejected);
	advance(m.reconnects, bus_reconnects(c->bus), &m.last_reconnects);
	metric_set(m.in_flight, (double)s.in_flight);
	metric_set(m.ack_seconds, s.last_ack_seconds);
	metric_set(m.identities, (double)c->seen.events.n);
	metric_set(m.nats_up, bus_connected(c->bus));
	metric_set(m.vcenter_up, vim_has_session(c->vim));
	metric_set(m.leader, c->lease == NULL || lease_held(c->lease));
	if (c->position.any) {
		metric_set(m.last_key, c->position.newest.key);
		metric_set(m.last_time, (double)c->position.newest.created_us / 1e6);
	}
}

void
collect_count_poll(bool ok)
{
	metric_add(ok ? m.polls_ok : m.polls_failed, 1);
}

void
collect_count_session(const char *reason)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
	metric_add(metric_counter(PREFIX "sessions_total", labels,
			   "Sessions made, and logins refused."),
		1);
}

void
collect_count_publish_error(enum err_code code)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "code=\"%s\"", err_name(code));
	metric_add(metric_counter(PREFIX "publish_errors_total", labels,
			   "Publishes refused or lost, by reason."),
		1);
	if (code == ERR_CONFLICT)
		metric_add(metric_counter(PREFIX "fenced_total", "",
				   "Times another writer was ahead of us."),
			1);
}

void
collect_count_gap(void)
{
	metric_add(m.gaps, 1);
}

void
collect_count_stall(const char *reason)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
	metric_add(metric_counter(PREFIX "stalled_total", labels,
			   "Times reading had to be helped on."),
		1);
}

void
collect_count_out_of_order(enum position_date date)
{
	metric_add(date == POSITION_AHEAD ? m.ahead : m.behind, 1);
}

void
collect_count_before_start(void)
{
	metric_add(m.before_start, 1);
}

void
collect_count_epoch(void)
{
	metric_add(m.epochs, 1);
}

void
collect_count_event(const struct normalize_event *e, bool trimmed)
{
	metric_add(m.unknown, e->schema_unknown);
	metric_add(m.trimmed, trimmed);
	metric_add(m.stubs, e->stub);
	metric_add(m.burst, strstr(e->name, "EventBurst") != NULL);
}

void
collect_count_page(const struct normalize_page *page)
{
	metric_add(m.repaired, page->repaired);
	metric_add(m.bad_chars, page->n_bad_chars);
}

void
collect_set_lacking(bool lacking)
{
	metric_set(m.lacking, lacking);
}

static bool
is_dated_ahead(const struct collect *c, const struct vim_latest *latest)
{
	return latest->created_us >
		vcenter_clock_now(&c->clock, clock_monotonic_ms()) + POSITION_TOLERANCE_US;
}

void
collect_set_latest(const struct collect *c, const struct vim_latest *latest)
{
	int64_t waits_us = publisher_oldest_us(c->publisher); /* sent is not stored */
	const struct position *p = &c->position;
	int64_t stored_us = waits_us < p->newest.created_us ? waits_us : p->newest.created_us;
	/* a wrong date is no lag */
	bool counts = latest->any && p->any && !is_dated_ahead(c, latest);
	double lag = counts ? (double)(latest->created_us - stored_us) / 1e6 : 0;
	int64_t backlog = counts ? (int64_t)latest->key - p->newest.key : 0;
	struct publisher_stats stats;

	publisher_stats(c->publisher, &stats);
	backlog += (int64_t)stats.in_flight;
	metric_set(m.lag, lag > 0 ? lag : 0);
	metric_set(m.backlog, backlog > 0 ? (double)backlog : 0);
}

void
collect_set_clock_skew(double seconds)
{
	metric_set(m.skew, seconds);
}

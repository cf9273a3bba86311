// SPDX-License-Identifier: Apache-2.0
#include "vcenter_metrics.h"

#include <stdio.h>
#include <string.h>

#include "metrics.h"

#define PREFIX "vcourier_collector_"
#define ORDER PREFIX "events_out_of_order_total"
#define ORDER_HELP \
	"Events stored whose date is ahead of the vCenter's clock, or far behind what was read."
#define POLLS PREFIX "polls_total"
#define POLLS_HELP "ReadNextEvents calls."
#define SESSIONS PREFIX "sessions_total"
#define SESSIONS_HELP "Sessions made, and logins refused."
#define STALLS PREFIX "stalls_total"
#define STALLS_HELP "Times reading had to be helped on."

static struct {
	struct metric *unknown, *trimmed, *stubs, *repaired, *bad_chars, *burst;
	struct metric *ahead, *behind, *before_start;
	struct metric *lag, *backlog, *skew, *missing;
	struct metric *polls_ok, *polls_failed, *gaps, *epochs;
	struct metric *login, *refused, *permission_gap, *unseen;
} m;

static struct metric *
by_reason(const char *name, const char *reason, const char *help)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
	return metric_counter(name, labels, help);
}

static void
init_access(void)
{
	m.login = by_reason(SESSIONS, "login", SESSIONS_HELP);
	m.refused = by_reason(SESSIONS, "refused", SESSIONS_HELP);
	m.permission_gap = by_reason(STALLS, "permission_gap", STALLS_HELP);
	m.unseen = by_reason(STALLS, "unseen", STALLS_HELP);
	m.polls_ok = metric_counter(POLLS, "result=\"ok\"", POLLS_HELP);
	m.polls_failed = metric_counter(POLLS, "result=\"error\"", POLLS_HELP);
	m.skew = metric_gauge(
		PREFIX "clock_skew_seconds", "", "The vCenter's clock less ours, at login.");
	m.missing = metric_gauge(PREFIX "permission_missing", "",
		"1: the account may not see all events of the vCenter.");
}

void
vcenter_metrics_init(void)
{
	init_access();
	m.before_start = metric_counter(PREFIX "events_total", "result=\"before_start\"",
		"Events read from the source, by what became of them.");
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
	m.lag = metric_gauge(PREFIX "lag_seconds", "",
		"How far the newest event that is stored is behind the vCenter's latest.");
	m.backlog = metric_gauge(PREFIX "backlog_events", "",
		"Keys between the newest event that is stored and the latest.");
	m.gaps = metric_counter(PREFIX "event_gaps_total", "",
		"Spans that left the vCenter before they were read.");
	m.epochs = metric_counter(
		PREFIX "epochs_total", "", "Times the vCenter's database or clock went back.");
}

void
vcenter_metrics_poll(bool ok)
{
	metric_add(ok ? m.polls_ok : m.polls_failed, 1);
}

void
vcenter_metrics_session(bool refused)
{
	metric_add(refused ? m.refused : m.login, 1);
}

void
vcenter_metrics_page(const struct normalize_page *page)
{
	metric_add(m.repaired, page->repaired);
	metric_add(m.bad_chars, page->n_bad_chars);
}

void
vcenter_metrics_event(const struct normalize_event *e, bool trimmed)
{
	metric_add(m.unknown, e->schema_unknown);
	metric_add(m.trimmed, trimmed);
	metric_add(m.stubs, e->stub);
	metric_add(m.burst, strstr(e->name, "EventBurst") != NULL);
}

void
vcenter_metrics_out_of_order(enum position_date date)
{
	metric_add(date == POSITION_AHEAD ? m.ahead : m.behind, 1);
}

void
vcenter_metrics_before_start(void)
{
	metric_add(m.before_start, 1);
}

void
vcenter_metrics_gap(void)
{
	metric_add(m.gaps, 1);
}

void
vcenter_metrics_epoch(void)
{
	metric_add(m.epochs, 1);
}

void
vcenter_metrics_stall(enum vcenter_stall_reason reason)
{
	metric_add(reason == VCENTER_STALL_UNSEEN ? m.unseen : m.permission_gap, 1);
}

void
vcenter_metrics_permission(bool missing)
{
	metric_set(m.missing, missing);
}

void
vcenter_metrics_clock_skew(double seconds)
{
	metric_set(m.skew, seconds);
}

void
vcenter_metrics_lag(double seconds, double events)
{
	metric_set(m.lag, seconds > 0 ? seconds : 0);
	metric_set(m.backlog, events > 0 ? events : 0);
}

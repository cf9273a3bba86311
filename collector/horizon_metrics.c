// SPDX-License-Identifier: Apache-2.0
#include "horizon_metrics.h"

#include <stdio.h>

#include "metrics.h"

#define PREFIX "vcourier_collector_"

static const char *const calls[] = { [HORIZON_LOGIN] = "login",
	[HORIZON_REFRESH] = "refresh",
	[HORIZON_LOGOUT] = "logout",
	[HORIZON_EVENTS] = "events" };

static struct metric *
by_call(enum horizon_call call, const char *result)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "call=\"%s\",result=\"%s\"", calls[call], result);
	return metric_counter("vcourier_horizon_calls_total", labels,
		"Calls of Horizon's API: ok, expired (401, and 400 of a refresh), error.");
}

static struct metric *
skew(void)
{
	return metric_gauge("vcourier_horizon_clock_skew_seconds", "",
		"Horizon's clock less ours, in whole seconds of its Date header.");
}

static struct metric *
trimmed(void)
{
	return metric_counter(PREFIX "events_truncated_total", "",
		"Events larger than a message, members left out, or names cut.");
}

static struct metric *
out_of_order(const char *date)
{
	char labels[32];

	snprintf(labels, sizeof(labels), "date=\"%s\"", date);
	return metric_counter(PREFIX "events_out_of_order_total", labels,
		"Events stored whose date is ahead of the source's clock, or far behind what was "
		"read.");
}

void
horizon_metrics_init(void)
{
	for (enum horizon_call call = HORIZON_LOGIN; call <= HORIZON_EVENTS; call++) {
		by_call(call, "ok");
		by_call(call, "expired");
		by_call(call, "error");
	}
	skew();
	trimmed();
	out_of_order("ahead");
	out_of_order("behind");
}

void
horizon_metrics_call(enum horizon_call call, int status)
{
	const char *result = "error";

	if (status / 100 == 2)
		result = "ok";
	else if ((call == HORIZON_EVENTS && status == 401) ||
		(call == HORIZON_REFRESH && status == 400))
		result = "expired";
	metric_add(by_call(call, result), 1);
}

void
horizon_metrics_clock_skew(double seconds)
{
	metric_set(skew(), seconds);
}

void
horizon_metrics_trimmed(void)
{
	metric_add(trimmed(), 1);
}

void
horizon_metrics_out_of_order(const char *date)
{
	metric_add(out_of_order(date), 1);
}

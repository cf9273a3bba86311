// SPDX-License-Identifier: Apache-2.0
#include "bus_metrics.h"

#include "log.h"

void
bus_metrics_init(struct bus_metrics *m)
{
	*m = (struct bus_metrics){
		.up = metric_gauge(
			"vcourier_up", "peer=\"nats\"", "1 when the peer can be used."),
		.reconnects = metric_counter(
			"vcourier_nats_reconnects_total", "", "Reconnects to NATS."),
		.silent = metric_counter("vcourier_nats_silent_reconnects_total", "",
			"Reconnects to NATS because nothing was answered on a connection that stood."),
	};
}

void
bus_metrics_update(struct bus_metrics *m, const struct bus *bus)
{
	uint64_t reconnects = bus_reconnects(bus), silent = bus_silent_reconnects(bus);

	metric_set(m->up, bus_connected(bus));
	metric_add(m->reconnects, reconnects - m->n_reconnects);
	metric_add(m->silent, silent - m->n_silent);
	if (silent != m->n_silent)
		log_warn("NATS: no answer on an open connection: connecting again",
			L_INT("times", (int64_t)silent));
	m->n_reconnects = reconnects;
	m->n_silent = silent;
}

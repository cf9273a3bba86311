// SPDX-License-Identifier: Apache-2.0
/* Horizon's own metrics; those of every source are in collect_metrics.h. */
#ifndef VCOURIER_HORIZON_METRICS_H
#define VCOURIER_HORIZON_METRICS_H

#include <stddef.h>

enum horizon_call { HORIZON_LOGIN, HORIZON_REFRESH, HORIZON_LOGOUT, HORIZON_EVENTS };

void horizon_metrics_init(void); /* Every series exists from here on, at 0. */

/* A reply came; status 0: none did. */
void horizon_metrics_call(enum horizon_call call, int status);

void horizon_metrics_clock_skew(double seconds);
void horizon_metrics_trimmed(void);                  /* an event was larger than a message */
void horizon_metrics_out_of_order(const char *date); /* "ahead", "behind" */

#endif

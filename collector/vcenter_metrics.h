// SPDX-License-Identifier: Apache-2.0
/* Metrics of reading a vCenter. Each function counts one thing, or sets a gauge. */
#ifndef VCOURIER_VCENTER_METRICS_H
#define VCOURIER_VCENTER_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "normalize.h"
#include "position.h"

void vcenter_metrics_init(void); /* every series exists from here on, at 0 */

void vcenter_metrics_poll(bool ok);
void vcenter_metrics_session(const char *reason); /* constant: "login", "refused" */
void vcenter_metrics_page(const struct normalize_page *page);
void vcenter_metrics_event(const struct normalize_event *e, bool trimmed);
void vcenter_metrics_out_of_order(enum position_date date);
void vcenter_metrics_before_start(void);
void vcenter_metrics_gap(void);
void vcenter_metrics_epoch(void);
void vcenter_metrics_stall(const char *reason); /* constant: "permission_gap", "unseen" */
void vcenter_metrics_permission(bool missing);
void vcenter_metrics_clock_skew(double seconds);
/* How far the stream is behind the vCenter's latest event. */
void vcenter_metrics_lag(double seconds, double events);

#endif

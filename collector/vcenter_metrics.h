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
void vcenter_metrics_session(bool refused); /* a login that worked, or was refused */
void vcenter_metrics_page(const struct normalize_page *page);
void vcenter_metrics_event(const struct normalize_event *e, bool trimmed);
void vcenter_metrics_out_of_order(enum position_date date);
void vcenter_metrics_before_start(void);
void vcenter_metrics_gap(void);
void vcenter_metrics_epoch(void);
/* The account may not see a run of events; the latest event was not found. */
enum vcenter_stall_reason { VCENTER_STALL_PERMISSION_GAP, VCENTER_STALL_UNSEEN };
void vcenter_metrics_stall(enum vcenter_stall_reason reason);
void vcenter_metrics_permission(bool missing);
void vcenter_metrics_clock_skew(double seconds);
/* How far the stream is behind the vCenter's latest event. */
void vcenter_metrics_lag(double seconds, double events);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The dispatcher's metrics. What becomes of events adds up: stored = delivered + filtered +
 * dead + expired + pending.
 */
#ifndef VCOURIER_BOOKS_H
#define VCOURIER_BOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "metrics.h"

enum { STATUSES = 600 };

struct books {
	char backend[64];                                     /* the label */
	struct metric *delivered, *filtered, *dead, *expired; /* events, each counted once */
	struct metric *pending, *ack_pending, *oldest_age, *consumer_ahead;
	struct metric *retries, *throttled, *redelivered;
	struct metric *in_flight, *in_hand, *idle, *circuit, *circuit_opens;
	struct metric *stalled_pull, *stalled_deliver;
	struct metric *duration, *age, *attempts;
	struct metric *by_status[STATUSES]; /* made when first needed */
};

void books_init(struct books *books, const char *backend);
void books_response(struct books *books, const struct http_response *rsp, size_t events);
void books_circuit(struct books *books, bool open);
void books_age(struct books *books, int64_t age_us); /* stored until delivered */
void books_attempts(struct books *books, unsigned attempts);
/* since its last success */
void books_refresh_age(struct books *books, const char *refresh, int64_t age_ms);
void books_dead(struct books *books, const char *reason);

#endif

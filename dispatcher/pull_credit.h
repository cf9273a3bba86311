// SPDX-License-Identifier: Apache-2.0
/*
 * The open pulls of one consumer, and how many messages each still waits for. The server ends a
 * pull with a status message, but servers before 2.9.16 may end one silently, and a pull is
 * lost with its server. So each pull has a deadline, and silence ends all of them: the server
 * sends a heartbeat every PULL_HEARTBEAT_MS while one is open. Pure; now_ms: monotonic.
 */
#ifndef VCOURIER_PULL_CREDIT_H
#define VCOURIER_PULL_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PULLS_MAX = 8,
	PULL_EXPIRES_MS = 30 * 1000, /* in the request */
	PULL_HEARTBEAT_MS = 2 * 1000,
};

struct pull {
	uint64_t id;
	size_t left; /* messages it still waits for */
	int64_t deadline_ms;
};

/* Zero it to begin. */
struct pull_credit {
	struct pull pull[PULLS_MAX]; /* the oldest first */
	size_t n;
	uint64_t last_id;
	int64_t heard_ms;
};

size_t pull_credit_left(const struct pull_credit *credit); /* over all open pulls */
/*
 * How many messages a new pull may request to keep `budget` of them requested; 0: none is worth
 * it, because fewer than `least` are missing or too many pulls are open.
 */
size_t pull_credit_wanted(const struct pull_credit *credit, size_t budget, size_t least);
/* The id that pull_credit_add gives to the next pull, if that can be sent. */
uint64_t pull_credit_next_id(const struct pull_credit *credit);
void pull_credit_add(struct pull_credit *credit, size_t messages, int64_t now_ms);

void pull_credit_heard(struct pull_credit *credit, int64_t now_ms); /* any message came */
void pull_credit_message(struct pull_credit *credit); /* one of the requested messages came */
void pull_credit_end(struct pull_credit *credit, uint64_t id); /* unless it has ended already */
void pull_credit_end_all(struct pull_credit *credit);

/* Ends pulls that are past their deadline. */
void pull_credit_expire(struct pull_credit *credit, int64_t now_ms);
/* Pulls are open, and the server has sent nothing for more than two heartbeats. */
bool pull_credit_silent(const struct pull_credit *credit, int64_t now_ms);

#endif

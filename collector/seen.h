// SPDX-License-Identifier: Apache-2.0
/*
 * The set of events that are in the stream, as far back as events are ever read again. An event
 * is identified by key and createdTime: keys alone start over with a re-created database. Times
 * are compared in milliseconds: a vCenter may report the same event once with milliseconds and
 * once with microseconds.
 */
#ifndef VCOURIER_SEEN_H
#define VCOURIER_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

/* 16 bytes: a busy source has hundreds of thousands of them. */
struct seen_entry {
	int64_t key;
	/*
	 * never 0. From the highest bit: 50 bits of the time in milliseconds, 13 of the epoch
	 * that it was added in, and 1
	 */
	uint64_t packed;
};

/* The events of a key that were added in one epoch. */
struct seen_key {
	int64_t ms;   /* of all of them, exclusive or: with one event its own */
	uint32_t key; /* its lowest bits: whole for a vCenter, which alone asks for them */
	uint16_t epoch;
	uint8_t n; /* 255: so many, or more */
	bool used;
};

struct seen {
	struct table events; /* struct seen_entry by key and time */
	struct table keys;   /* struct seen_key by key */
	size_t kept;         /* events that the last seen_prune did not forget */
	/* the caller's count of databases: a key names one event of a database */
	uint16_t epoch;
};

void seen_init(struct seen *s);
void seen_free(struct seen *s);
bool seen_has(const struct seen *s, int64_t key, int64_t created_us);
bool seen_add(struct seen *s, int64_t key, int64_t created_us); /* false: it was there */
/* Of 32-bit keys: an event of this epoch has the same one and another time: they start over. */
bool seen_reused(const struct seen *s, int64_t key, int64_t created_us);
void seen_remove(struct seen *s, int64_t key, int64_t created_us);

/*
 * Forgets the events created before this time, except those with the newest SEEN_KEYS_KEPT keys
 * up to last_key: the newest events of the vCenter are read by key, whatever their date. An
 * event takes some 64 bytes.
 */
enum { SEEN_KEYS_KEPT = 4096 };
void seen_prune(struct seen *s, int64_t before_us, int64_t last_key);
/*
 * It is time for seen_prune: more than 32,768 events, which take 2 MiB, and twice as many as
 * the last one kept.
 */
bool seen_is_large(const struct seen *s);

/* The milliseconds that identify an event, from microseconds. */
int64_t seen_ms(int64_t us);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Counts answers that did not come, and tells the thread of bus.c when to connect again. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "bus_private.h"

#include "clock.h"

/* Call with the lock held. */
static void
add_silence(struct bus *bus, struct bus_silence *silence)
{
	if (!bus->connected || !bus_silence_add(silence, clock_monotonic_ms()))
		return;
	bus->silent = true;
	pthread_cond_broadcast(&bus->changed);
}

void
bus_note_reply(struct bus *bus, bool came)
{
	pthread_mutex_lock(&bus->lock);
	if (came)
		bus_silence_end(&bus->requests);
	else
		add_silence(bus, &bus->requests);
	pthread_mutex_unlock(&bus->lock);
}

void
bus_unanswered(struct bus *bus)
{
	pthread_mutex_lock(&bus->lock);
	if (atomic_exchange(&bus->heard, false))
		bus_silence_end(&bus->messages);
	add_silence(bus, &bus->messages);
	pthread_mutex_unlock(&bus->lock);
}

uint64_t
bus_silent_reconnects(const struct bus *bus)
{
	return atomic_load(&((struct bus *)bus)->silent_reconnects);
}

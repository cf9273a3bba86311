// SPDX-License-Identifier: Apache-2.0
#include "horizon_intake.h"

#include "clock.h"
#include "horizon_metrics.h"
#include "log.h"
#include "status.h"

void
horizon_intake_init(struct horizon_intake *in, const struct horizon_origin *origin,
	const struct horizon_clock *clock, const struct source_context *context)
{
	*in = (struct horizon_intake){ .publisher = context->publisher,
		.checkpoint = context->checkpoint,
		.clock = clock,
		.origin = *origin };
	horizon_message_init(&in->message);
}

void
horizon_intake_free(struct horizon_intake *in)
{
	horizon_message_free(&in->message);
}

/* An event without a date is stored, and does not move the position. */
static enum position_date
date_of(const struct position *p, const struct horizon_event *e, int64_t now_us)
{
	return e->dated ? position_date(p, e->created_us, now_us) : POSITION_BEHIND;
}

static void
report(const struct horizon_intake *in, const struct horizon_event *e, enum position_date date)
{
	const struct horizon_message *m = &in->message;
	char created[CLOCK_TEXT_SIZE];

	if (!e->dated)
		log_warn("Horizon's event has no readable time: it is stored without one",
			L_STR("event", buf_str(&m->id)), L_STR("name", buf_str(&m->name)));
	else if (date == POSITION_AHEAD)
		log_warn("event dated ahead of Horizon's clock: it is stored",
			L_STR("event", buf_str(&m->id)), L_STR("name", buf_str(&m->name)),
			L_STR("created", clock_format(e->created_us, created)));
	if (date != POSITION_IN_ORDER)
		horizon_metrics_out_of_order(date == POSITION_AHEAD ? "ahead" : "behind");
	if (!m->trimmed)
		return;
	horizon_metrics_trimmed();
	log_warn("event larger than a message: its text is left out",
		L_STR("event", buf_str(&m->id)), L_INT("bytes", (int64_t)e->len));
}

static int
publish(struct horizon_intake *in, const struct horizon_event *e, struct err *err)
{
	static const char *const out_of_order[] = { [POSITION_IN_ORDER] = NULL,
		[POSITION_AHEAD] = "ahead",
		[POSITION_BEHIND] = "behind" };
	struct position *position = source_checkpoint_position(in->checkpoint);
	int64_t now_us = horizon_clock_now(in->clock);
	enum position_date date = date_of(position, e, now_us);
	struct horizon_message *m = &in->message;
	struct publish p;

	horizon_message_write(m, &in->origin, e);
	p = (struct publish){ .subject = buf_str(&m->subject),
		.msg_id = buf_str(&m->msg_id),
		.data = m->data.data,
		.len = m->data.len,
		.key = e->key,
		.created_us = e->created_us,
		.again_us = position_again(position, e->created_us, date),
		.complete_us = position_complete(position),
		.out_of_order = out_of_order[date] };
	if (publisher_send(in->publisher, &p, err) != 0)
		return -1;
	source_checkpoint_add(in->checkpoint, e->key, e->created_us);
	position_sent(position,
		&(struct position_event){ .created_us = e->created_us, .key = e->key }, date,
		now_us);
	report(in, e, date);
	return 0;
}

/*
 * The event was there before startFrom, or has left the stream again. A key that was given
 * later than that of the stream's first event is of an event that Horizon stored late.
 */
static bool
is_before_start(const struct position *p, const struct horizon_event *e)
{
	return p->has_first && e->dated && e->created_us < p->first.created_us &&
		e->key < p->first.key;
}

enum source_result
horizon_intake_page(struct horizon_intake *in, const struct horizon_page *page, struct err *err)
{
	const struct position *position = source_checkpoint_position(in->checkpoint);
	const struct seen *seen = source_checkpoint_seen(in->checkpoint);

	for (size_t i = 0; i < page->n; i++) {
		const struct horizon_event *e = &page->event[i];

		if (i % 64 == 0)
			status_beat();
		if (seen_has(seen, e->key, e->created_us) || is_before_start(position, e)) {
			in->read++;
			in->suppressed++;
			continue;
		}
		if (publish(in, e, err) != 0)
			return err->code == ERR_STOPPED ? SOURCE_STOPPED : STREAM_FAILED;
		in->read++;
	}
	return SOURCE_OK;
}

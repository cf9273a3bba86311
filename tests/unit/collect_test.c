// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's loop with sources that are no vCenter, against a real nats-server: one that
 * is polled and goes on from the checkpoint, and one that is told (as a webhook is) and
 * confirms an event when it is stored.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collect.h"
#include "metrics.h"
#include "nats.h"
#include "status.h"
#include "stop.h"

#define UUID "00000000-0000-4000-8000-000000000001"

enum { TIMEOUT_MS = 60000, STREAM_EVENTS = 20 };

static const int64_t us_per_s = 1000000;
static const int64_t first_us = INT64_C(1700000000) * 1000000;

/* What the source does; the toy counts what the loop asked of it. */
struct toy {
	struct source_context copy;
	bool is_told;        /* else it is polled */
	int intrude_at;      /* another writer stores a message before this event; 0: never */
	int lose_session_at; /* before this event; 0: never */
	int64_t max_bytes;   /* of the stream, which then refuses more; 0: no limit */
	int stop_at_resume;  /* 0: when all events are sent */
	struct bus *bus;     /* also for the other writer */
	int sent, confirmed, connects, resumes, taken_back, closed;
	bool session;
	struct buf status; /* of /readyz, at stop_at_resume */
};

static struct toy *toy; /* of the test that runs */

static void
toy_open(void **self, const void *options, const struct source_context *context)
{
	(void)options;
	toy->copy = *context;
	*self = toy;
}

static enum source_result
toy_connect(void *self, struct err *err)
{
	struct toy *t = self;

	(void)err;
	t->connects += !t->session;
	t->session = true;
	return SOURCE_OK;
}

static bool
toy_credentials_changed(void *self)
{
	(void)self;
	return true;
}

static void
toy_identify(void *self, struct source_identity *id)
{
	(void)self;
	*id = (struct source_identity){ .uuid = UUID, .now_us = clock_wall_us() };
}

static enum source_result
toy_resume(void *self, const struct source_loaded *loaded, struct err *err)
{
	struct toy *t = self;

	(void)err;
	t->resumes++;
	t->taken_back += loaded->taken_back;
	assert_true(loaded->message_max >= 1024);
	if (t->resumes == t->stop_at_resume) {
		buf_init(&t->status, 4096);
		status_write(&t->status);
		stop_request();
	}
	return SOURCE_OK;
}

static enum source_result
send_event(struct toy *t, int key, struct err *err)
{
	int64_t us = first_us + key * us_per_s;
	char id[96];
	struct publish p = { .subject = "vc.toy.x",
		.msg_id = id,
		.data = "{}",
		.len = 2,
		.key = key,
		.created_us = us,
		.again_us = us,
		.complete_us = INT64_MAX };

	snprintf(id, sizeof(id), UUID "/%d/%lld", key, (long long)(us / 1000));
	if (publisher_send(t->copy.publisher, &p, err) != 0)
		return err->code == ERR_STOPPED ? SOURCE_STOPPED : STREAM_FAILED;
	t->sent++;
	return SOURCE_OK;
}

static void
intrude(struct toy *t)
{
	struct bus_out out = { .subject = "vc.toy.other", .data = "{}", .len = 2 };
	struct pub_ack ack;
	struct err err;

	t->intrude_at = 0;
	assert_int_equal(jetstream_publish(t->bus, &out, TIMEOUT_MS, &ack, &err), 0);
}

/* Sends what `seen` does not have. */
static enum source_result
poll(struct toy *t, struct err *err)
{
	struct position *p = source_checkpoint_position(t->copy.checkpoint);
	const struct seen *seen = source_checkpoint_seen(t->copy.checkpoint);

	for (int key = 1; key <= STREAM_EVENTS; key++) {
		struct position_event e = { .created_us = first_us + key * us_per_s,
			.key = key };
		enum source_result result;

		if (seen_has(seen, key, e.created_us))
			continue;
		if (key == t->lose_session_at) {
			t->lose_session_at = 0;
			t->session = false;
			err_set(err, ERR_NOT_FOUND, "the session is gone");
			return SOURCE_FAILED;
		}
		if (key == t->intrude_at)
			intrude(t);
		result = send_event(t, key, err);
		if (result != SOURCE_OK)
			return result;
		source_checkpoint_add(t->copy.checkpoint, key, e.created_us);
		position_sent(p, &e, POSITION_IN_ORDER, clock_wall_us());
	}
	return SOURCE_OK;
}

/* Its peer sends an event until it is confirmed. */
static enum source_result
receive(struct toy *t, struct err *err)
{
	while (t->confirmed < STREAM_EVENTS) {
		enum source_result result;

		if (t->confirmed + 1 == t->intrude_at)
			intrude(t);
		result = send_event(t, t->confirmed + 1, err);
		if (result != SOURCE_OK)
			return result;
		if (publisher_drain(t->copy.publisher, TIMEOUT_MS, err) != 0)
			return STREAM_FAILED;
		t->confirmed++;
	}
	return SOURCE_OK;
}

static enum source_result
toy_next(void *self, int64_t *wait_ms, struct err *err)
{
	struct toy *t = self;
	enum source_result result = t->is_told ? receive(t, err) : poll(t, err);
	struct err drained;

	*wait_ms = 1;
	if (result == SOURCE_OK &&
		publisher_drain(t->copy.publisher, TIMEOUT_MS, &drained) == 0)
		stop_request();
	return result;
}

static void
toy_nothing(void *self)
{
	(void)self;
}

static void
toy_position(const void *self, struct source_status *status)
{
	const struct toy *t = self;

	*status = (struct source_status){ .connected = t->session, .read = (uint64_t)t->sent };
}

static void
toy_close(void *self)
{
	((struct toy *)self)->closed++;
}

static const struct source toy_source = {
	.name = "toy",
	.refused = "toy: refused",
	.forbidden = "toy: forbidden",
	.failed = "toy: failed",
	.message_min = 1024,
	.open = toy_open,
	.connect = toy_connect,
	.credentials_changed = toy_credentials_changed,
	.identify = toy_identify,
	.resume = toy_resume,
	.next = toy_next,
	.observe = toy_nothing,
	.stand_by = toy_nothing,
	.position = toy_position,
	.close = toy_close,
};

static struct bus *
open_bus(const struct nats_server *server)
{
	struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
	struct bus *bus;
	struct err err;

	stop_reset(); /* of the run before; a bus does not connect during a stop */
	options.urls = (char **)server->urls;
	assert_int_equal(bus_open(&bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(bus, TIMEOUT_MS, &err), 0);
	return bus;
}

/* The loop runs until the source has sent all its events. */
static void
run(const struct nats_server *server, struct toy *t)
{
	const struct collect_options options = { .name = "toy",
		.source = &toy_source,
		.settings = { .address = "toy://",
			.overlap_ms = 60000,
			.audit_span_ms = 600000,
			.window = 4 },
		.stream = { .name = "VC_toy",
			.subjects = { "vc.toy.>" },
			.max_bytes = t->max_bytes,
			.discard_new = t->max_bytes != 0,
			.duplicate_window_ms = 60000 } };
	struct err err;

	toy = t;
	t->bus = open_bus(server);
	assert_int_equal(collect_run(t->bus, NULL, &options, &err), 0);
	assert_int_equal(t->closed, 1);
}

/* Messages in the stream: the toy's events once each, and `others`. */
static void
check_stored(const struct nats_server *server, uint64_t others)
{
	struct bus *bus = open_bus(server);
	struct stream_info info;
	struct err err;

	assert_int_equal(jetstream_stream_look(bus, "VC_toy", &info, &err), 0);
	assert_int_equal(info.messages, STREAM_EVENTS + others);
	bus_close(bus);
}

static int64_t
gauge(const char *name)
{
	return (int64_t)metric_value(metric_gauge(name, "stream=\"VC_toy\"", ""));
}

static int
start(void **state)
{
	struct nats_server *server = calloc(1, sizeof(*server));

	nats_server_start(server, NULL);
	*state = server;
	return 0;
}

static int
stop(void **state)
{
	nats_server_stop(*state);
	free(*state);
	return 0;
}

static void
a_polled_source_goes_on_from_the_stream(void **state)
{
	struct toy once = { .session = false }, again = { .session = false };

	run(*state, &once);
	assert_int_equal(once.sent, STREAM_EVENTS);
	assert_int_equal(once.resumes, 1);
	run(*state, &again);
	assert_int_equal(again.sent, 0);
	check_stored(*state, 0);
}

static void
after_another_writer_the_stream_is_read_again(void **state)
{
	struct toy t = { .intrude_at = 10 };

	run(*state, &t);
	assert_int_equal(t.resumes, 2);
	assert_int_equal(t.taken_back, 1);
	check_stored(*state, 1);
}

static void
a_session_that_is_gone_is_created_again(void **state)
{
	struct toy t = { .lose_session_at = 10 };

	run(*state, &t);
	assert_int_equal(t.connects, 2);
	/* the stream had not failed */
	assert_int_equal(t.resumes, 1);
	check_stored(*state, 0);
}

static void
a_told_source_confirms_what_is_stored(void **state)
{
	struct toy t = { .is_told = true, .intrude_at = 10 };

	run(*state, &t);
	assert_int_equal(t.confirmed, STREAM_EVENTS);
	/* the event that was refused was sent again by its peer */
	assert_int_equal(t.sent, STREAM_EVENTS + 1);
	check_stored(*state, 1);
}

/*
 * No turn succeeds, so that the loop has no other occasion to measure the stream. That it can
 * be read does not make the collector ready.
 */
static void
a_full_stream(void **state)
{
	struct toy t = { .max_bytes = 1024, .stop_at_resume = 2 };
	struct stream_info info;
	struct bus *bus;
	struct err err;

	run(*state, &t);
	assert_non_null(strstr(buf_str(&t.status),
		"\"stream\":{\"ok\":false,\"why\":\"maximum bytes exceeded\"}"));
	buf_free(&t.status);
	bus = open_bus(*state);
	assert_int_equal(jetstream_stream_look(bus, "VC_toy", &info, &err), 0);
	bus_close(bus);
	assert_in_range(info.messages, 1, STREAM_EVENTS - 1);
	assert_int_equal(gauge("vcourier_stream_bytes"), info.bytes);
	assert_int_equal(gauge("vcourier_stream_max_bytes"), t.max_bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_polled_source_goes_on_from_the_stream, start, stop),
		cmocka_unit_test_setup_teardown(
			after_another_writer_the_stream_is_read_again, start, stop),
		cmocka_unit_test_setup_teardown(
			a_session_that_is_gone_is_created_again, start, stop),
		cmocka_unit_test_setup_teardown(
			a_told_source_confirms_what_is_stored, start, stop),
		cmocka_unit_test_setup_teardown(a_full_stream, start, stop),
	};

	stop_init();
	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}

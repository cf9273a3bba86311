// SPDX-License-Identifier: Apache-2.0
/* Consumers, against a real nats-server. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jetstream.h"
#include "nats.h"
#include "stop.h"

enum { TIMEOUT_MS = 60000, EVENTS = 20 };

struct world {
	struct nats_server server;
	struct bus *bus;
	char dir[256]; /* where the server keeps the consumer */
};

static const struct consumer_config durable = { .stream = "S",
	.name = "d",
	.ack_wait_ms = 30000,
	.max_ack_pending = 1000,
	.deliver = DELIVER_FROM_SEQ,
	.start_seq = 3 };

static int
open_world(void **state)
{
	static const struct stream_config stream = {
		.name = "S", .subjects = { "s.>" }, .duplicate_window_ms = 60000
	};
	struct world *w = calloc(1, sizeof(*w));
	struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
	struct bus_out out = { .subject = "s.x", .data = "{}", .len = 2 };
	struct stream_info info;
	struct pub_ack ack;
	struct err err;

	nats_server_start(&w->server, NULL);
	options.urls = w->server.urls;
	snprintf(w->dir, sizeof(w->dir), "%s/jetstream/$G/streams/S/obs/d", w->server.dir);
	assert_int_equal(bus_open(&w->bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(w->bus, TIMEOUT_MS, &err), 0);
	assert_int_equal(jetstream_stream_ensure(w->bus, &stream, &info, &err), 0);
	for (int i = 0; i < EVENTS; i++)
		assert_int_equal(jetstream_publish(w->bus, &out, TIMEOUT_MS, &ack, &err), 0);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	bus_close(w->bus);
	nats_server_stop(&w->server);
	free(w);
	return 0;
}

static void
acknowledge(void *ctx, struct bus_msg *msg)
{
	struct err err;

	assert_int_equal(jetstream_ack(ctx, bus_msg_reply(msg), &err), 0);
	bus_msg_free(msg);
}

/* A consumer that has given out all, and a file of its state that says so. */
static void
use_up(struct world *w)
{
	struct consumer_info info;
	char inbox[256];
	struct err err;

	snprintf(inbox, sizeof(inbox), "%s.all", bus_inbox(w->bus));
	assert_int_equal(jetstream_consumer_ensure(w->bus, &durable, &info, &err), 0);
	assert_int_equal(bus_subscribe(w->bus, inbox, acknowledge, w->bus, &err), 0);
	assert_int_equal(
		jetstream_pull(w->bus,
			&(struct pull_request){ "S", "d", inbox, EVENTS, TIMEOUT_MS, 0 }, &err),
		0);
	for (int i = 0; i < 1000 && info.ack_floor_stream_seq != EVENTS; i++) {
		assert_int_equal(jetstream_consumer_look(w->bus, "S", "d", &info, &err), 0);
		usleep(10000);
	}
	assert_int_equal(info.ack_floor_stream_seq, EVENTS);
	assert_int_equal(bus_unsubscribe(w->bus, inbox, TIMEOUT_MS, &err), 0);
	usleep(300 * 1000); /* the server writes the state within 100 ms */
}

/*
 * Does what the server does when it writes the state while it removes the files; ends soon
 * after the removal. The server writes by os.WriteFile, so that the file is empty at first:
 * whole is false for this moment.
 */
static pid_t
write_state_again_and_again(struct world *w, bool whole)
{
	char path[300], meta[300], bytes[4096];
	FILE *f;
	size_t len;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/o.dat", w->dir);
	snprintf(meta, sizeof(meta), "%s/meta.inf", w->dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_true(len > 0);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	alarm(1); /* when it misses the removal */
	for (int left = 3000; left > 0; left--) {
		int fd = open(path, O_CREAT | O_WRONLY | (whole ? 0 : O_TRUNC), 0644);

		if (fd >= 0) {
			if (whole && write(fd, bytes, len) < 0)
				_exit(1);
			close(fd);
		}
		if (left == 3000 && access(meta, F_OK) == 0)
			left++; /* the removal has not begun */
	}
	_exit(0);
}

static void
recreate_beside_writer(struct world *w, bool whole)
{
	struct consumer_info info;
	struct err err;
	pid_t writer;

	use_up(w);
	writer = write_state_again_and_again(w, whole);
	assert_int_equal(jetstream_consumer_recreate(w->bus, &durable, &info, &err), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(info.delivered_consumer_seq, 0);
	assert_int_equal(info.delivered_stream_seq, 2);
	assert_int_equal(info.pending, EVENTS - 2);
}

static void
the_state_of_the_one_before_is_not_taken_up(void **state)
{
	recreate_beside_writer(*state, true);
}

static void
an_empty_state_does_not_move_the_start(void **state)
{
	recreate_beside_writer(*state, false);
}

static void
it_is_gone_whatever_the_server_answers(void **state)
{
	struct world *w = *state;
	struct consumer_info info;
	struct err err;
	pid_t writer;

	use_up(w);
	writer = write_state_again_and_again(w, true);
	assert_int_equal(jetstream_consumer_delete(w->bus, "S", "d", &err), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(jetstream_consumer_look(w->bus, "S", "d", &info, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(jetstream_consumer_delete(w->bus, "S", "d", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(jetstream_consumer_recreate(w->bus, &durable, &info, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_state_of_the_one_before_is_not_taken_up, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_empty_state_does_not_move_the_start, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			it_is_gone_whatever_the_server_answers, open_world, close_world),
	};

	stop_init();
	return cmocka_run_group_tests_name("consumer", tests, NULL, NULL);
}

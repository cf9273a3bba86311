// SPDX-License-Identifier: Apache-2.0
/*
 * What follows from "not found". A server without JetStream, and a client in JetStream's place
 * that says what a leader says that is behind: that state cannot be had at will. The answers
 * are nats-server's own words (2.9.10, 2.12.7).
 */
#include "test.h"

#include "api_lab.h"
#include "jetstream.h"
#include "stream_reader.h"

#define NOT_FOUND \
	"{\"error\":{\"code\":404,\"err_code\":10037,\"description\":\"no message found\"}}"
#define NO_STREAM \
	"{\"error\":{\"code\":404,\"err_code\":10059,\"description\":\"stream not found\"}}"
#define UNAVAILABLE \
	"{\"error\":{\"code\":503,\"err_code\":10008,\"description\":\"JetStream system temporarily unavailable\"}}"
#define MESSAGE(SEQ) \
	"{\"message\":{\"subject\":\"vc.a\",\"seq\":" SEQ \
	",\"data\":\"eA==\",\"time\":\"2026-11-22T10:00:00Z\"}}"
#define INFO(LEADER, FIRST, LAST, MESSAGES) \
	"{\"created\":\"2026-11-22T09:00:00Z\",\"cluster\":{\"name\":\"c\",\"leader\":\"" LEADER \
	"\"},\"state\":{" \
	"\"first_seq\":" FIRST ",\"last_seq\":" LAST ",\"messages\":" MESSAGES "}}"

static void
play(struct api_lab *lab, const char *const *messages, const char *const *streams)
{
	lab->script[0] = (struct api_script){ .subject = "$JS.API.STREAM.MSG.GET.S" };
	lab->script[1] = (struct api_script){ .subject = "$JS.API.STREAM.INFO.S" };
	lab->script[2] = (struct api_script){
		.subject = "$JS.API.CONSUMER.CREATE.S",
		.answer = { "{\"name\":\"c1\",\"num_pending\":0,\"config\":{},\"created\":\"2026-11-22T09:00:00Z\"}" }
	};
	for (size_t i = 0; i < 3; i++) {
		lab->script[0].answer[i] = messages[i];
		lab->script[1].answer[i] = streams[i];
	}
}

/* Sequence 50 is asked for. */
static void
what_not_found_means(void **state)
{
	static const struct {
		const char *name, *messages[3], *streams[3];
		enum message_presence presence;
		uint64_t gone_to;
	} cases[] = {
		{ "it is there", { MESSAGE("50") }, { NULL }, MESSAGE_FOUND, 0 },
		{ "before the first", { NOT_FOUND }, { INFO("n1", "51", "90", "40") },
			MESSAGE_GONE, 51 },
		{ "of an empty stream", { NOT_FOUND }, { INFO("n1", "91", "90", "0") },
			MESSAGE_GONE, 91 },
		{ "a leader that is behind", { NOT_FOUND }, { INFO("n1", "1", "49", "49") },
			MESSAGE_BEYOND, 0 },
		{ "a leader that has nothing yet", { NOT_FOUND }, { INFO("n1", "0", "0", "0") },
			MESSAGE_BEYOND, 0 },
		{ "it cannot be read", { NOT_FOUND }, { INFO("n1", "1", "90", "90") },
			MESSAGE_UNKNOWN, 0 },
		{ "removed from between others", { NOT_FOUND, MESSAGE("53") },
			{ INFO("n1", "1", "90", "80") }, MESSAGE_GONE, 53 },
		{ "another one was removed", { NOT_FOUND, MESSAGE("50") },
			{ INFO("n1", "1", "90", "80") }, MESSAGE_FOUND, 0 },
		{ "nothing can be read behind it", { NOT_FOUND, NOT_FOUND },
			{ INFO("n1", "1", "90", "80") }, MESSAGE_UNKNOWN, 0 },
	};
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message_search found;
		struct err err;

		play(lab, cases[i].messages, cases[i].streams);
		if (stream_find(lab->bus, "S", 50, &found, &err) != 0)
			fail_msg("%s: %s", cases[i].name, err.text);
		if (found.presence != cases[i].presence || found.gone_to != cases[i].gone_to)
			fail_msg("%s: %d, to %llu", cases[i].name, (int)found.presence,
				(unsigned long long)found.gone_to);
		if (found.presence == MESSAGE_FOUND)
			jetstream_msg_free(&found.msg);
	}
}

/*
 * While a stream has no leader any replica answers; and a stream that is not there has no
 * message to be gone.
 */
static void
nobody_can_tell(void **state)
{
	static const char *const messages[3] = { NOT_FOUND };
	static const char *const leaderless[3] = { INFO("", "51", "90", "40") },
				 *const absent[3] = { NO_STREAM };
	static const char *const electing[3] = { UNAVAILABLE };
	struct api_lab *lab = *state;
	struct message_search found;
	struct err err;

	play(lab, messages, leaderless);
	assert_int_equal(stream_find(lab->bus, "S", 50, &found, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	play(lab, messages, electing);
	assert_int_equal(stream_find(lab->bus, "S", 50, &found, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	play(lab, messages, absent);
	assert_int_equal(stream_find(lab->bus, "S", 50, &found, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* nats-server 2.10 without a cluster names itself the leader; no other one may be ahead. */
static void
a_server_alone_has_no_leader(void **state)
{
	static const char *const messages[3] = { NOT_FOUND };
	static const char *const alone[3] = {
		"{\"created\":\"2026-11-22T09:00:00Z\",\"cluster\":{\"leader\":\"NB43MJ56\"},\"state\":{"
		"\"first_seq\":51,\"last_seq\":90,\"messages\":40}}"
	};
	struct api_lab *lab = *state;
	struct message_search found;
	struct err err;

	play(lab, messages, alone);
	assert_int_equal(stream_find(lab->bus, "S", 50, &found, &err), 0);
	assert_string_equal(found.info.leader, "");
}

/*
 * A reader that got nothing believes it when the leader has all that it had when the read
 * began.
 */
static void
the_end_of_a_read(void **state)
{
	static const struct {
		const char *name, *messages[3], *streams[3];
		enum err_code code; /* ERR_NONE: it was the end */
	} cases[] = {
		{ "the end", { NOT_FOUND },
			{ INFO("n1", "1", "90", "90"), INFO("n1", "1", "90", "90") },
			ERR_NONE },
		{ "its replica is behind", { MESSAGE("80") },
			{ INFO("n1", "1", "90", "90"), INFO("n1", "1", "90", "90") },
			ERR_TIMEOUT },
		{ "only newer ones", { MESSAGE("91") },
			{ INFO("n1", "1", "90", "90"), INFO("n1", "1", "91", "91") },
			ERR_NONE },
		{ "a new leader is behind", { NOT_FOUND },
			{ INFO("n1", "1", "90", "90"), INFO("n2", "1", "60", "60") },
			ERR_TIMEOUT },
		{ "no leader", { NOT_FOUND },
			{ INFO("n1", "1", "90", "90"), INFO("", "1", "60", "60") },
			ERR_TIMEOUT },
	};
	struct consumer_config config = {
		.stream = "S", .deliver = DELIVER_FROM_SEQ, .start_seq = 70
	};
	struct stream_reader *reader;
	struct api_lab *lab = *state;
	struct err err;

	assert_int_equal(stream_reader_open(&reader, lab->bus, &err), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		play(lab, cases[i].messages, cases[i].streams);
		assert_int_equal(stream_reader_start(reader, &config, &err), 0);
		err.code = ERR_NONE;
		stream_reader_confirm_end(reader, 69, &err);
		if (err.code != cases[i].code &&
			!(cases[i].code == ERR_NONE && err.code == ERR_NOT_FOUND))
			fail_msg("%s: %d %s", cases[i].name, (int)err.code, err.text);
	}
	bus_close(lab->bus);
	stream_reader_close(reader);
	lab->bus = NULL;
}

static void
a_finding_is_steady(void **state)
{
	struct steady s = { .what = NULL };
	static const char what[] = "shorter", other[] = "absent";

	(void)state;
	assert_int_equal(stream_find_steady_for(&s, what, "", 1, 5000), INT64_MAX);
	assert_int_equal(stream_find_steady_for(&s, what, "n1", 1, 5000), 0);
	assert_int_equal(stream_find_steady_for(&s, what, "n1", 1, 9000), 4000);
	assert_int_equal(
		stream_find_steady_for(&s, what, "n2", 1, 9500), 0); /* another leader */
	assert_int_equal(
		stream_find_steady_for(&s, what, "n2", 2, 9800), 0); /* another connection */
	assert_int_equal(stream_find_steady_for(&s, other, "n2", 2, 9900), 0);
	assert_int_equal(stream_find_steady_for(&s, other, "n2", 2, 19900), 10000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_not_found_means, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(nobody_can_tell, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(
			a_server_alone_has_no_leader, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(the_end_of_a_read, api_lab_open, api_lab_close),
		cmocka_unit_test(a_finding_is_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

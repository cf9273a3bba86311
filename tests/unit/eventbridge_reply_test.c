// SPDX-License-Identifier: Apache-2.0
/* EventBridge: what the replies mean. */
#define _GNU_SOURCE /* mkstemp, setenv */
#include "test.h"

#include "eventbridge_lab.h"

#include "clock.h"
#include "eventbridge.h"

static void
entries_fail_one_by_one(void **state)
{
	struct outcome out[5];
	struct backend b;

	(void)state;
	open_with(&b, "");
	/* texts as AWS gave them */
	judge(&b, 200, "",
		"{\"FailedEntryCount\":4,\"Entries\":[{\"EventId\":\"1\"},"
		"{\"ErrorCode\":\"ThrottlingException\",\"ErrorMessage\":\"Rate exceeded\"},"
		"{\"ErrorCode\":\"MalformedDetail\",\"ErrorMessage\":\"Detail is malformed.\"},"
		"{\"ErrorCode\":\"InvalidArgument\",\"ErrorMessage\":\"Parameter Source is not valid. Reason: Source is a required argument.\"},"
		"{\"ErrorCode\":\"BrandNew\"}]}",
		5, out, 0);
	assert_int_equal(out[0].verdict, VERDICT_DELIVERED);
	assert_int_equal(out[1].verdict, VERDICT_RETRY);
	assert_int_equal(out[2].verdict, VERDICT_REJECTED);
	assert_string_equal(out[2].why.text, "MalformedDetail: Detail is malformed.");
	assert_int_equal(out[3].verdict, VERDICT_REJECTED);
	assert_int_equal(out[4].verdict, VERDICT_RETRY);
	backend_close(&b);
}

static void
replies_that_are_none(void **state)
{
	static const char *const bodies[] = { "", "<html>", "{}",
		"{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"1\"}]}",
		"{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"1\"},{\"EventId\":\"2\"",
		"{\"Entries\":[1,2]}", "{\"Entries\":[{},{\"EventId\":\"\"}]}", "null",
		"{\"Entries\":[{\"EventId\":\"1\"},{\"EventId\":\"2\"},{\"EventId\":\"3\"}]}" };
	struct outcome out[2];
	struct backend b;

	(void)state;
	open_with(&b, "");
	for (size_t i = 0; i < COUNT(bodies); i++) {
		judge(&b, 200, "", bodies[i], 2, out, 0);
		assert_int_equal(out[0].verdict, VERDICT_RETRY);
		assert_int_equal(out[1].verdict, VERDICT_RETRY);
		assert_true(out[0].why.text[0] != '\0');
	}
	backend_close(&b);
}

static void
refusals_by_their_class(void **state)
{
	static const struct {
		int status;
		const char *headers, *body;
		enum verdict one; /* of a single event */
		bool split, refresh;
	} rows[] = {
		{ 400, "", "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
			VERDICT_RETRY, false, false },
		{ 500, "", "{\"__type\":\"InternalException\"}", VERDICT_RETRY, false, false },
		{ 503, "", "<html>no</html>", VERDICT_RETRY, false, false },
		{ 400, "", "<html>a proxy's page</html>", VERDICT_RETRY, false, false },
		{ 403, "", "", VERDICT_RETRY, false, false },
		{ 302, "", "", VERDICT_RETRY, false, false },
		{ 400, "",
			"{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\",\"message\":\"x\"}",
			VERDICT_RETRY, false, true },
		{ 400, "", "{\"__type\":\"UnrecognizedClientException\"}", VERDICT_RETRY, false,
			true },
		{ 403, "x-amzn-errortype: InvalidClientTokenId:http://x\n", "", VERDICT_RETRY,
			false, true },
		{ 400, "", "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}",
			VERDICT_RETRY, false, true },
		{ 400, "", "{\"__type\":\"ResourceNotFoundException\"}", VERDICT_RETRY, false,
			true },
		{ 400, "", "{\"__type\":\"InvalidSignatureException\"}", VERDICT_RETRY, false,
			true },
		{ 403, "",
			"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
			VERDICT_RETRY, false, true },
		{ 400, "",
			"{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected\"}",
			VERDICT_REJECTED, true, false },
		{ 400, "", "{\"__type\":\"SerializationException\"}", VERDICT_REJECTED, true,
			false },
		{ 400, "", "{\"__type\":\"SomethingNew\"}", VERDICT_REJECTED, true, false },
	};
	struct backend b;

	(void)state;
	open_with(&b, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome out[3];

		judge(&b, rows[i].status, rows[i].headers, rows[i].body, 1, out, 0);
		if (out[0].verdict != rows[i].one || out[0].refresh != rows[i].refresh ||
			out[0].split)
			fail_msg("%s: verdict %d refresh %d split %d", rows[i].body,
				out[0].verdict, out[0].refresh, out[0].split);
		judge(&b, rows[i].status, rows[i].headers, rows[i].body, 3, out, 0);
		assert_int_equal(out[2].verdict, VERDICT_RETRY);
		assert_int_equal(out[2].split, rows[i].split);
		assert_int_equal(out[2].status, rows[i].status);
	}
	backend_close(&b);
}

static void
learns_a_lower_size_limit(void **state)
{
	const char *said =
		"{\"__type\":\"ValidationException\",\"message\":\"Total size of the entries in the request is over the limit.\"}";
	struct outcome out[10];
	struct backend b;

	(void)state;
	open_with(&b, "");
	judge(&b, 400, "", said, 10, out, 0);
	assert_int_equal(out[9].verdict, VERDICT_RETRY);
	assert_true(out[9].split);
	assert_int_equal(b.p->weight_max(b.self), 262144);
	judge(&b, 400, "", said, 1, out, 0);
	assert_int_equal(out[0].verdict, VERDICT_REJECTED);
	backend_close(&b);
	open_with(&b, "");
	judge(&b, 413, "", "", 1, out, 0); /* learned: whether it fits is looked at anew */
	assert_int_equal(out[0].verdict, VERDICT_RETRY);
	judge(&b, 413, "", "", 1, out, 0);
	assert_int_equal(out[0].verdict, VERDICT_REJECTED);
	backend_close(&b);
}

/* The X-Amz-Date of a request, in seconds off the real time. */
static int64_t
date_offset(struct backend *b)
{
	const char *p = strstr(buf_str(&b->req->headers), "X-Amz-Date: ") + 12;
	char text[32];
	int64_t us;

	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p, p + 4, p + 6, p + 9,
		p + 11, p + 13);
	assert_true(clock_parse(text, strlen(text), &us));
	return (us - clock_wall_us()) / 1000000;
}

static void
follows_the_clock_of_aws(void **state)
{
	const char *said =
		"{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}";
	struct outcome out[1];
	struct event ev;
	struct backend b;

	(void)state;
	open_with(&b, "");
	backend_event(&ev, event_text);
	backend_encode(&b, "", &ev);
	assert_in_range(date_offset(&b) + 5, 0, 10);
	judge(&b, 400, "", said, 1, out, clock_wall_us() + INT64_C(3600) * 1000000);
	assert_int_equal(out[0].verdict, VERDICT_RETRY);
	assert_int_equal(out[0].retry_after_ms, 0);
	backend_encode(&b, "", &ev);
	assert_in_range(date_offset(&b), 3590, 3605);
	/* the same complaint with the clock right: it is the secret */
	judge(&b, 400, "", said, 1, out, clock_wall_us() + INT64_C(3600) * 1000000);
	assert_true(out[0].refresh);
	event_free(&ev);
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_fail_one_by_one),
		cmocka_unit_test(replies_that_are_none),
		cmocka_unit_test(refusals_by_their_class),
		cmocka_unit_test(learns_a_lower_size_limit),
		cmocka_unit_test(follows_the_clock_of_aws),
	};

	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_REGION");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

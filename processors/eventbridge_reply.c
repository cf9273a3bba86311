// SPDX-License-Identifier: Apache-2.0
/*
 * The replies to PutEvents: for the whole request, and for each entry, which can fail
 * separately.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "aws_reply.h"
#include "clock.h"
#include "eventbridge.h"
#include "json_member.h"

enum {
	SKEW_S = 4 * 60, /* AWS accepts signatures five minutes old or early */
	ATTENTION_MS = 30 *
		1000, /* between retries after an error that a person must correct */
};

bool
eventbridge_correct_clock(
	struct eventbridge *self, const struct http_response *rsp, int64_t now_us)
{
	int64_t off = (rsp->date_us - now_us) / 1000000, change = off - self->skew_s;

	if (rsp->date_us == 0 || (change < SKEW_S && change > -SKEW_S))
		return false;
	self->skew_s = off;
	return true;
}

/* Codes of entries that fail again however often they are sent. */
static bool
is_permanent(const char *code)
{
	static const char *const codes[] = { "AccessDeniedException",
		"InvalidAccountIdException", "InvalidArgument", "MalformedDetail",
		"RedactionFailure", "NotAuthorizedForSourceException",
		"NotAuthorizedForDetailTypeException" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static void
judge_entry(struct eventbridge *self, const cJSON *entry, struct outcome *out)
{
	const char *code = json_member_string(entry, "ErrorCode");
	const char *message = json_member_string(entry, "ErrorMessage");
	const char *id = json_member_string(entry, "EventId");

	if (code == NULL && id != NULL && *id != '\0') {
		out->verdict = VERDICT_DELIVERED;
		/* AWS accepts events for a bus that does not exist, and drops them */
		if (self->bus_missing) {
			out->verdict = VERDICT_RETRY;
			out->refresh = true;
			out->retry_after_ms = ATTENTION_MS;
			err_set(&out->why, ERR_NOT_FOUND, "event bus %.64s does not exist",
				self->bus_name);
		}
		return;
	}
	if (code == NULL) {
		err_set(&out->why, ERR_PROTOCOL,
			"the reply has neither EventId nor ErrorCode for it");
		return;
	}
	out->verdict = is_permanent(code) ? VERDICT_REJECTED : VERDICT_RETRY;
	/* the credentials may have been changed */
	out->refresh = aws_error_class(code) == AWS_REFUSED;
	err_set(&out->why, out->verdict == VERDICT_REJECTED ? ERR_PROTOCOL : ERR_FULL,
		"%.80s: %.200s", code, message != NULL ? message : "");
}

static void
judge_entries(struct eventbridge *self, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	cJSON *root = cJSON_ParseWithLength(rsp->body, rsp->body_len);
	const cJSON *entries = json_member(root, "Entries"), *entry;
	size_t i = 0;

	if (!cJSON_IsArray(entries) || (size_t)cJSON_GetArraySize(entries) != n) {
		/*
		 * the entries cannot be assigned: all are sent again, which may deliver some
		 * twice
		 */
		for (i = 0; i < n; i++)
			err_set(&out[i].why, ERR_PROTOCOL,
				"the reply is not a result of PutEvents for %zu entries", n);
	} else {
		cJSON_ArrayForEach(entry, entries) {
			judge_entry(self, entry, &out[i++]);
		}
	}
	cJSON_Delete(root);
}

/*
 * A request larger than this endpoint accepts. Text of a real reply: "Total size of the entries
 * in the request is over the limit." Partitions differ, so the smaller limit is learned; a
 * larger event is then trimmed or rejected by encode.
 */
static void
judge_size(struct eventbridge *self, size_t n, struct outcome *out)
{
	bool learned = self->bytes_max > EVENTBRIDGE_BYTES_OLD;

	if (learned)
		self->bytes_max = EVENTBRIDGE_BYTES_OLD;
	if (n > 1)
		out->split = true;
	else if (!learned)
		out->verdict = VERDICT_REJECTED;
}

static void
judge_invalid(
	struct eventbridge *self, const struct aws_error *e, size_t n, struct outcome *out)
{
	if (strstr(e->message, "size") != NULL && strstr(e->message, "over the limit") != NULL)
		judge_size(self, n, out);
	else if (n > 1)
		out->split = true; /* one of them is at fault: send them separately */
	else
		out->verdict = VERDICT_REJECTED;
}

/* The whole request was rejected; all its events get the same outcome. */
static void
judge_refusal(struct eventbridge *self, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	struct aws_error e;
	enum aws_class class;

	aws_error_read(rsp, &e);
	class = aws_error_class(e.code);
	aws_error_explain(rsp, &e, &out->why);
	if (rsp->status == 413) {
		judge_size(self, n, out);
		return;
	}
	if (class == AWS_EXPIRED) {
		out->refresh = true;
	} else if (class == AWS_SKEW) {
		if (eventbridge_correct_clock(self, rsp, clock_wall_us()))
			out->retry_after_ms = 0;
		else
			out->refresh = true; /* the secret may have changed */
	} else if (class == AWS_REFUSED) {
		out->refresh = true;
		if (out->retry_after_ms < ATTENTION_MS)
			out->retry_after_ms = ATTENTION_MS;
	} else if (class == AWS_INVALID ||
		(class == AWS_UNKNOWN && e.code[0] != '\0' && rsp->status < 500)) {
		judge_invalid(self, &e, n, out);
	}
	/*
	 * a reply that is not from an AWS service (a proxy's page) does not concern the event:
	 * retry
	 */
}

void
eventbridge_judge(void *p, const struct target *target, const struct http_response *rsp,
	size_t n, struct outcome *out)
{
	struct eventbridge *self = p;
	struct outcome all = { .status = rsp->status, .retry_after_ms = rsp->retry_after_ms };

	(void)target;
	if (rsp->error != ERR_NONE) {
		all.status = 0;
		all.why = rsp->why;
	} else if (rsp->status != 200) {
		judge_refusal(self, rsp, n, &all);
	}
	for (size_t i = 0; i < n; i++)
		out[i] = all;
	if (rsp->error == ERR_NONE && rsp->status == 200)
		judge_entries(self, rsp, n, out);
}

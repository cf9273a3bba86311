// SPDX-License-Identifier: Apache-2.0
/* vcourier replay: sends stored events again to one dispatcher. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command_list.h"
#include "pattern_argument.h"
#include "printable.h"
#include "replay.h"
#include "session_open.h"
#include "subject_pattern.h"

enum {
	TELL_MS = 500,
	REFUSED_TOLD_MAX = 10,
};

struct replay_options {
	struct connection_flags connection;
	const char *dispatcher, *vcenter, *subject, *pattern, *function;
	int64_t since_us, until_us, from_seq; /* 0: not given */
	bool all, dry_run;
};

struct replaying {
	const struct replay_options *options;
	struct replay_choice choice;
	bool progress;
	char durable[96];
	int64_t told_ms;
	unsigned long long refused;
};

static void
tell(struct replaying *r, const struct replay_counts *n, bool end)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!r->progress || (!end && now_ms - r->told_ms < TELL_MS))
		return;
	r->told_ms = now_ms;
	fprintf(stderr, "\r%llu of %llu read, %llu %s%s", n->seen, n->total, n->sent,
		r->options->dry_run ? "match" : "sent", end ? "\n" : "");
}

static bool
on_progress(void *ctx, const struct replay_counts *counts)
{
	tell(ctx, counts, false);
	return true;
}

/* NATS accepts such an event in no state, because of our headers. */
static void
on_refused(void *ctx, const char *stream, uint64_t seq, const struct err *why)
{
	struct replaying *r = ctx;

	if (r->refused++ < REFUSED_TOLD_MAX)
		printable_line(stderr,
			"vcourier: event %llu of %s is too large to be sent again: %s",
			(unsigned long long)seq, stream, why->text);
}

static bool
is_chosen(const struct replay_options *o, const struct session_source *source)
{
	return o->vcenter == NULL || strcmp(source->name, o->vcenter) == 0;
}

/* EXIT_NOT_YET, or the exit status. */
static int
choose(struct replaying *r, struct session *s)
{
	const struct replay_options *o = r->options;
	size_t chosen = 0;
	struct err err;
	int rc = session_dispatcher(s, o->dispatcher, r->durable);

	if (rc != EXIT_NOT_YET)
		return rc;
	if (o->subject != NULL &&
		subject_pattern_check(o->subject, s->config->subject_prefix, &err) != 0)
		return session_fail(s, &err);
	if (session_sources(s, &err) != 0)
		return session_fail(s, &err);
	for (size_t i = 0; i < s->n_sources; i++)
		chosen += is_chosen(o, &s->source[i]);
	if (chosen == 0 && o->vcenter != NULL)
		return command_usage_error(&replay_command,
			"there is no event provider \"%.60s\" and no stream of it", o->vcenter);
	if (chosen > 1 && o->from_seq > 0)
		return command_usage_error(&replay_command,
			"--from-seq needs --vcenter, because there are several streams");
	return EXIT_NOT_YET;
}

static int
replay_all(struct replaying *r, struct session *s)
{
	bool dry_run = r->options->dry_run;
	const struct replay_watch watch = { on_progress, on_refused, r };
	struct replay_counts n;
	struct err err;
	int rc = choose(r, s);

	if (rc != EXIT_NOT_YET)
		return rc;
	rc = replay_run(s, &r->choice, &watch, &n, &err);
	tell(r, &n, true);
	if (rc != 0)
		rc = session_fail(s, &err);
	printf("%llu of %llu events %s\n", n.sent, n.seen,
		dry_run ? "would be sent again" : "sent again");
	return rc == 0 && r->refused > 0 ? EXIT_RUNTIME : rc;
}

/* What begins in the past by mistake cannot be called back, so where to begin must be said. */
static int
check(const struct replay_options *o)
{
	int begins = (o->since_us != 0) + (o->from_seq > 0) + o->all;

	if (o->dispatcher == NULL)
		return command_usage_error(&replay_command, "--dispatcher NAME is missing");
	if (begins > 1)
		return command_usage_error(
			&replay_command, "--since, --from-seq and --all exclude each other");
	if (begins == 0 && !o->dry_run)
		return command_usage_error(&replay_command,
			"where to begin is missing: --since TIME, --from-seq SEQ or --all; --dry-run counts first");
	return EXIT_NOT_YET;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct replay_options *o = values;
	struct replaying r = { .options = o, .progress = isatty(STDERR_FILENO) != 0 };
	struct session s;
	int rc = check(o);

	(void)args;
	(void)n_args;
	if (rc != EXIT_NOT_YET)
		return rc;
	r.choice = (struct replay_choice){ .durable = r.durable,
		.source = o->vcenter,
		.subject = o->subject,
		.function = o->function,
		.since_us = o->since_us,
		.until_us = o->until_us != 0 ? o->until_us : clock_wall_us(),
		.from_seq = o->from_seq,
		.dry_run = o->dry_run };
	rc = pattern_argument_compile(o->pattern, &r.choice.pattern);
	if (rc != EXIT_NOT_YET)
		return rc;
	rc = session_open(&s, &o->connection);
	if (rc == EXIT_NOT_YET) {
		rc = replay_all(&r, &s);
		session_close(&s);
	}
	pattern_free(r.choice.pattern);
	return rc;
}

#define AT(member) offsetof(struct replay_options, member)

static const struct command_option options[] = {
	{ "dispatcher", 'd', COMMAND_TEXT, AT(dispatcher), "NAME", NULL, 0,
		"the dispatcher, by its name in the configuration" },
	{ "since", 's', COMMAND_TIME, AT(since_us), "TIME", NULL, 0,
		"from then on: RFC 3339, or a duration (2h)" },
	{ "until", 'u', COMMAND_TIME, AT(until_us), "TIME", NULL, 0,
		"up to then; default: now" },
	{ "from-seq", 'q', COMMAND_COUNT, AT(from_seq), "SEQ", NULL, 0,
		"from this sequence on; with one vCenter, or --vcenter" },
	{ "all", 'a', COMMAND_FLAG, AT(all), NULL, NULL, 0,
		"from the oldest event on that is still stored" },
	{ "vcenter", 'v', COMMAND_TEXT, AT(vcenter), "NAME", NULL, 0,
		"only the events of this source" },
	{ "filter", 'f', COMMAND_TEXT, AT(subject), "SUBJECT", NULL, 0,
		"only these: a subject with wildcards, vc.*.*.*.error.>" },
	{ "pattern", 'p', COMMAND_TEXT, AT(pattern), "PATTERN", NULL, 0,
		"only these: an event pattern, over the CloudEvent" },
	{ "function", 'F', COMMAND_TEXT, AT(function), "NAME", NULL, 0,
		"to this OpenFaaS function only, NAME.NAMESPACE" },
	{ "dry-run", 0, COMMAND_FLAG, AT(dry_run), NULL, NULL, 0,
		"only count; without --since, --from-seq and --all: from the oldest event on" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "done" },
	{ 1, "some events could not be sent" }, COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "replay --dispatcher kn --since 2h --dry-run",
	"replay --dispatcher kn --since 1d --filter 'vc.*.*.*.error.>'",
	"replay --dispatcher kn --all --pattern '{\"subject\":[\"VmPoweredOnEvent\"]}'", NULL };

const struct command replay_command = { COMMAND_CONNECTS, .name = "replay",
	.summary = "send stored events again, to one dispatcher", .options = options,
	.values_size = sizeof(struct replay_options),
	.about =
		"Sends events that are still in the streams again, to this dispatcher only; other "
		"dispatchers and all positions do not change. The dispatcher's own filter applies.",
	.more = PATTERN_ARGUMENT_HELP, .examples = examples, .exits = exits, .run = run };

// SPDX-License-Identifier: Apache-2.0
/*
 * One event as an entry of PutEvents. Source, DetailType and Detail are those of the event
 * router, so that users' rules continue to match: the CloudEvent's source and subject, and the
 * structured event as on the bus.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
 */
#include <stdio.h>
#include <string.h>

#include "eventbridge.h"
#include "json.h"
#include "text.h"
#include "trace.h"

/*
 * As AWS computes it:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
 */
static size_t
entry_size(const struct eventbridge *self, const struct event *ev, size_t detail_len)
{
	size_t size = EVENTBRIDGE_TIME_BYTES + strlen(ev->source) + strlen(ev->subject) +
		detail_len;

	for (char **one = self->config->resources; one != NULL && *one != NULL; one++)
		size += strlen(*one);
	return size;
}

/*
 * The structured event with the configured type; borrowed from the message if it is the same.
 */
static const char *
detail_of(struct eventbridge *self, const struct event *ev, size_t *len)
{
	event_type(ev, (enum event_type_style)self->config->type_style, &self->type);
	if (ev->json != NULL && strcmp(buf_str(&self->type), ev->type) == 0) {
		*len = ev->json_len;
		return ev->json;
	}
	buf_clear(&self->text);
	event_add_structured(ev, buf_str(&self->type), &self->text);
	*len = self->text.len;
	return buf_str(&self->text);
}

/* The event without its data, with an extension that says so. */
static const char *
trimmed_of(struct eventbridge *self, const struct event *ev, size_t *len)
{
	struct event small = *ev;
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%zu", ev->data_len);
	small.json = NULL;
	small.data = NULL;
	small.data_len = 0;
	if (small.n_extensions < EVENT_EXTENSIONS_MAX)
		small.extension[small.n_extensions++] = (struct event_extension){
			.name = "datatrimmed", .value = bytes, .quoted = true
		};
	buf_clear(&self->text);
	event_add_structured(&small, buf_str(&self->type), &self->text);
	*len = self->text.len;
	return buf_str(&self->text);
}

size_t
eventbridge_weight(void *p, const struct event *ev)
{
	struct eventbridge *self = p;
	size_t len, weight;

	detail_of(self, ev, &len);
	weight = entry_size(self, ev, len);
	if (weight > self->bytes_max && self->config->oversize == OVERSIZE_TRIM) {
		trimmed_of(self, ev, &len);
		weight = entry_size(self, ev, len);
	}
	return weight;
}

/*
 * The traceparent as X-Ray's Root=1-8-24;Parent=16;Sampled=0|1. Sampled is the lowest bit of
 * the flags.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
static void
add_trace(const struct event *ev, struct buf *out)
{
	const char *t = trace_parent(ev);

	if (*t == '\0')
		return;
	buf_printf(out, ",\"TraceHeader\":\"Root=1-%.8s-%.24s;Parent=%.16s;Sampled=%d\"", t + 3,
		t + 11, t + 36, strchr("13579bdf", t[54]) != NULL);
}

static void
add_string(struct buf *out, const char *name, const char *text, size_t len)
{
	buf_printf(out, "\"%s\":", name);
	json_add_string(out, text, len);
}

int
eventbridge_entry_check(const struct event *ev, struct err *err)
{
	size_t characters = 0;

	for (const char *p = ev->subject; *p != '\0'; p++)
		characters += ((unsigned char)*p & 0xc0) != 0x80;
	if (characters == 0)
		return err_set(err, ERR_PROTOCOL,
			"the event has no subject, and EventBridge requires a DetailType");
	if (characters > EVENTBRIDGE_DETAIL_TYPE_MAX)
		return err_set(err, ERR_LIMIT,
			"the subject has more than the %d characters of a DetailType",
			EVENTBRIDGE_DETAIL_TYPE_MAX);
	if (text_starts(ev->source, "aws."))
		return err_set(
			err, ERR_PROTOCOL, "EventBridge refuses sources that begin with aws.");
	return 0;
}

int
eventbridge_entry_add(struct eventbridge *self, const struct event *ev, struct buf *out,
	size_t *weight, struct err *err)
{
	const struct eventbridge_config *c = self->config;
	size_t len;
	const char *detail = detail_of(self, ev, &len);

	*weight = entry_size(self, ev, len);
	if (*weight > self->bytes_max && c->oversize == OVERSIZE_TRIM) {
		detail = trimmed_of(self, ev, &len);
		*weight = entry_size(self, ev, len);
	}
	if (*weight > self->bytes_max)
		return err_set(err, ERR_LIMIT, "an entry of %zu bytes, EventBridge accepts %zu",
			*weight, self->bytes_max);
	buf_add_char(out, '{');
	add_string(out, "Source", ev->source, strlen(ev->source));
	buf_add_char(out, ',');
	add_string(out, "DetailType", ev->subject, strlen(ev->subject));
	buf_add_char(out, ',');
	add_string(out, "Detail", detail, len);
	buf_add_char(out, ',');
	add_string(out, "EventBusName", c->bus, strlen(c->bus));
	buf_printf(out, ",\"Time\":%lld", (long long)aws_envelope_seconds(ev));
	for (char **one = c->resources; one != NULL && *one != NULL; one++) {
		buf_add_str(out, one == c->resources ? ",\"Resources\":[" : ",");
		json_add_string(out, *one, strlen(*one));
		if (one[1] == NULL)
			buf_add_char(out, ']');
	}
	if (c->trace_header)
		add_trace(ev, out);
	buf_add_char(out, '}');
	return 0;
}

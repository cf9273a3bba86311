// SPDX-License-Identifier: Apache-2.0
#include "emit_event.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "envelope.h"
#include "normalize.h"
#include "severities.h"
#include "text.h"

static const char data_path[] = "data.";

/* ---- settings */

static const char *
value_of(const char *setting)
{
	const char *equals = strchr(setting, '=');

	return equals != NULL ? equals + 1 : "";
}

static bool
is_data(const char *setting)
{
	return strncmp(setting, data_path, sizeof(data_path) - 1) == 0;
}

/* The name of the attribute that the setting is for; false: it is none that can be set. */
static bool
attribute_of(const char *setting, char name[32])
{
	size_t len = strcspn(setting, "=");

	snprintf(name, 32, "%.*s", (int)len, setting);
	return len > 0 && len <= 20 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

/* https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes */
static int
check_attribute(const char *setting, struct err *err)
{
	static const char *const fixed[] = { "data", "specversion", "datacontenttype",
		"database64" };
	const char *value = value_of(setting);
	char name[32];
	int64_t us;

	if (!attribute_of(setting, name))
		return err_set(err, ERR_USAGE,
			"--set %.80s: neither data.MEMBER nor an attribute of CloudEvents (a-z, 0-9)",
			setting);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(name, fixed[i]) == 0)
			return err_set(err, ERR_USAGE, "--set %s: cannot be set", name);
	if (*value == '\0' || text_utf8_valid(value, strlen(value)) != strlen(value))
		return err_set(
			err, ERR_USAGE, "--set %s: the value is empty or not UTF-8", name);
	if (strcmp(name, "time") == 0 && !clock_parse(value, strlen(value), &us))
		return err_set(err, ERR_USAGE,
			"--set time: \"%.60s\" is not a time, as 2026-11-22T10:00:00Z", value);
	if (strcmp(name, "severity") == 0 && strcmp(value, "info") != 0 &&
		strcmp(value, "warning") != 0 && strcmp(value, "error") != 0 &&
		strcmp(value, "user") != 0)
		return err_set(err, ERR_USAGE,
			"--set severity: \"%.60s\" is none of info, warning, error, user",
			value);
	return 0;
}

static int
apply(const struct emit_event *e, struct sample *sample, struct err *err)
{
	for (size_t i = 0; i < e->n_settings; i++) {
		const char *setting = e->setting[i];
		char path[256];

		if (strchr(setting, '=') == NULL)
			return err_set(err, ERR_USAGE, "--set %.80s: not PATH=VALUE", setting);
		if (!is_data(setting)) {
			if (check_attribute(setting, err) != 0)
				return -1;
			continue;
		}
		setting += sizeof(data_path) - 1;
		if (strcspn(setting, "=") >= sizeof(path))
			return err_set(
				err, ERR_USAGE, "--set %.80s: the path is too long", setting);
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(setting, "="), setting);
		if (sample_set(sample, path, value_of(setting), err) != 0)
			return err_wrap(err, "--set");
	}
	return 0;
}

/* The value that was set for an attribute; NULL: none was. */
static const char *
set_value(const struct emit_event *e, const char *attribute)
{
	const char *found = NULL;
	char name[32];

	for (size_t i = 0; i < e->n_settings; i++)
		if (!is_data(e->setting[i]) && attribute_of(e->setting[i], name) &&
			strcmp(name, attribute) == 0)
			found = value_of(e->setting[i]);
	return found;
}

/* ---- the event */

void
emit_event_init(struct emit_event *e)
{
	*e = (struct emit_event){ .prefix = "vc" };
	event_init(&e->event);
	buf_init(&e->type, EVENT_ATTRIBUTES_BYTES_MAX);
	buf_init(&e->subject, 4096);
	buf_init(&e->soap, SAMPLE_XML_MAX);
	buf_init(&e->data, SAMPLE_XML_MAX);
}

void
emit_event_free(struct emit_event *e)
{
	event_free(&e->event);
	buf_free(&e->type);
	buf_free(&e->subject);
	buf_free(&e->soap);
	buf_free(&e->data);
}

static int
set(struct emit_event *e, const char *name, const char *value, struct err *err)
{
	const char *own = set_value(e, name);

	value = own != NULL ? own : value;
	return *value == '\0' ? 0 : event_set(&e->event, name, value, strlen(value), err);
}

/* Sets what the user set and the collector does not write. */
static int
set_others(struct emit_event *e, const struct event *made, struct err *err)
{
	static const char core[] = " id source type subject time ";
	char name[32], word[36];

	for (size_t i = 0; i < e->n_settings; i++) {
		if (is_data(e->setting[i]) || !attribute_of(e->setting[i], name))
			continue;
		snprintf(word, sizeof(word), " %s ", name);
		if (strstr(core, word) != NULL || event_extension(made, name)[0] != '\0' ||
			event_extension(&e->event, name)[0] != '\0')
			continue;
		if (set(e, name, "", err) != 0)
			return -1;
	}
	return 0;
}

/* Copies the collector's event, with the settings and the mark of a test. */
static int
copy_event(struct emit_event *e, const struct event *made, struct err *err)
{
	const char *const attributes[][2] = { { "specversion", "1.0" }, { "id", made->id },
		{ "source", made->source }, { "type", buf_str(&e->type) },
		{ "subject", made->subject }, { "time", made->time },
		{ "datacontenttype", made->datacontenttype } };
	size_t i;

	event_clear(&e->event);
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (set(e, attributes[i][0], attributes[i][1], err) != 0)
			return -1;
	for (i = 0; i < made->n_extensions; i++)
		if (set(e, made->extension[i].name, made->extension[i].value, err) != 0)
			return -1;
	if (set(e, EMIT_TEST_ATTRIBUTE, "true", err) != 0 || set_others(e, made, err) != 0)
		return -1;
	buf_clear(&e->data);
	buf_add(&e->data, made->data, made->data_len);
	event_set_data(&e->event, e->data.data, e->data.len);
	return event_check(&e->event, err);
}

/* The message that a collector would publish, and from it the event. */
static int
publish(struct emit_event *e, const struct normalize_event *n, struct err *err)
{
	const struct envelope_source source = { .vcenter = e->vcenter,
		.prefix = e->prefix,
		.url = "https://vcourier.example/emit",
		.api_version = "8.0.0.0",
		.uuid = "00000000-0000-0000-0000-000000000000" };
	const char *severity = set_value(e, "severity");
	struct envelope envelope;
	struct severities none;
	struct event made;
	int failed = -1;

	severities_init(&none);
	if (severity == NULL)
		severity = severities_of(&none, n->severity, n->name, n->class_name);
	envelope_init(&envelope, SAMPLE_XML_MAX);
	event_init(&made);
	if (!envelope_write(&envelope, &source, n, severity))
		err_set(err, ERR_LIMIT, "the event is too large");
	else if (event_parse(&made, envelope.message.data, envelope.message.len, err) == 0) {
		event_type(&made, e->style, &e->type);
		buf_clear(&e->subject);
		buf_add_str(&e->subject, buf_str(&envelope.subject));
		failed = copy_event(e, &made, err);
	}
	event_free(&made);
	envelope_free(&envelope);
	severities_free(&none);
	return failed;
}

static int
normalize(struct emit_event *e, const struct sample *sample, struct err *err)
{
	struct normalizer *normalizer;
	struct normalize_page page;
	int failed = -1;

	buf_clear(&e->soap);
	sample_write(sample, &e->soap);
	normalizer_open(&normalizer, NULL);
	normalizer_begin(normalizer);
	normalizer_feed(normalizer, e->soap.data, e->soap.len, err);
	if (normalizer_end(normalizer, &page, err) == 0) {
		if (page.n == 1)
			failed = publish(e, &page.event[0], err);
		else
			err_set(err, ERR_PROTOCOL, "the sample is not an event");
	}
	normalizer_close(normalizer);
	return failed;
}

int
emit_event_make(struct emit_event *e, const char *name, const struct emit_identity *identity,
	struct err *err)
{
	struct sample *sample;
	int failed;

	if (sample_open(&sample, name, err) != 0)
		return -1;
	sample_identify(sample, identity->key, identity->created_us);
	failed = apply(e, sample, err);
	if (!failed)
		failed = normalize(e, sample, err);
	sample_close(sample);
	return failed;
}

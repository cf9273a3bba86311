// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "config.h"
#include "mem.h"
#include "text.h"

enum { DEPTH_MAX = 6 }; /* objects in each other that a new sample has */

/* ---- what a sample says */

/* MoRef types and ids by the member's name; the first is for every other name. */
static const struct {
	const char *member, *type, *value;
} morefs[] = {
	{ "", "VirtualMachine", "vm-101" },
	{ "Host", "HostSystem", "host-101" },
	{ "ReferenceHost", "HostSystem", "host-101" },
	{ "FailedHost", "HostSystem", "host-101" },
	{ "Datacenter", "Datacenter", "datacenter-101" },
	{ "InputDatacenter", "Datacenter", "datacenter-101" },
	{ "ExpectedDatacenter", "Datacenter", "datacenter-102" },
	{ "ComputeResource", "ClusterComputeResource", "domain-c101" },
	{ "Datastore", "Datastore", "datastore-101" },
	{ "Ds", "Datastore", "datastore-101" },
	{ "Network", "Network", "network-101" },
	{ "Dvs", "VmwareDistributedVirtualSwitch", "dvs-101" },
	{ "UplinkPortgroup", "DistributedVirtualPortgroup", "dvportgroup-101" },
	{ "Folder", "Folder", "group-v101" },
	{ "ResourcePool", "ResourcePool", "resgroup-101" },
	{ "Alarm", "Alarm", "alarm-101" },
	{ "ScheduledTask", "ScheduledTask", "schedule-101" },
	{ "Task", "Task", "task-101" },
	{ "Profile", "HostProfile", "hostprofile-101" },
};

/* Texts by the member's name; every other one is "sample". */
static const struct {
	const char *member, *text;
} texts[] = {
	{ "UserName", "VSPHERE.LOCAL\\Administrator" },
	{ "Severity", "info" },
	{ "IpAddress", "192.0.2.10" }, /* RFC 5737: for documentation */
	{ "ObjectType", "VirtualMachine" },
	{ "ObjectId", "vm-101" },
	{ "ObjectName", "sample-vm" },
};

/*
 * The members of Event that events of a class, and those that descend from it, have: the first
 * row that fits.
 */
static const struct {
	const char *class;
	const char *members; /* with a space after each */
} usual[] = {
	{ "VmEvent", "Datacenter ComputeResource Host Vm " },
	{ "AlarmEvent", "Datacenter ComputeResource Host Vm " },
	{ "TaskEvent", "Datacenter ComputeResource Host Vm " },
	{ "EventEx", "Datacenter ComputeResource Host Vm " },
	{ "HostEvent", "Datacenter ComputeResource Host " },
	{ "ClusterEvent", "Datacenter ComputeResource " },
	{ "DatastoreEvent", "Datacenter Ds " },
	{ "DvsEvent", "Datacenter Dvs " },
	{ "SessionEvent", "" },
	{ "LicenseEvent", "" },
	{ "AuthorizationEvent", "" },
	{ "Event", "Datacenter " },
};

static const char always[] = "Key ChainId CreatedTime UserName FullFormattedMessage ";

const char *
sample_member_name(const struct schema_field *field, size_t *len)
{
	const struct schema_name *name = &schema_names[field->name];

	*len = name->len - 4U; /* without ," and ": */
	return schema_member_text + name->at + 2;
}

static bool
is_named(const struct schema_field *field, const char *name)
{
	size_t len;
	const char *own = sample_member_name(field, &len);

	return strlen(name) == len && memcmp(own, name, len) == 0;
}

/* Whether a list of words has the member's name. */
static bool
is_among(const struct schema_field *field, const char *words)
{
	for (size_t len; *words != '\0'; words += len + 1) {
		char word[64];

		len = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		if (is_named(field, word))
			return true;
	}
	return false;
}

static const struct schema_class *
class_named(const char *name)
{
	return schema_find(name, strlen(name));
}

/* ---- nodes */

void
sample_set_text(struct sample_node *node, const char *text)
{
	if (node == NULL)
		return;
	free(node->text);
	node->text = mem_strdup(text);
}

static void
fill_moref(struct sample_node *node)
{
	size_t row = 0;

	for (size_t i = 1; i < sizeof(morefs) / sizeof(morefs[0]); i++)
		if (is_named(node->field, morefs[i].member))
			row = i;
	free(node->moref);
	node->moref = mem_strdup(morefs[row].type);
	sample_set_text(node, morefs[row].value);
}

/* "VmEventArgument" has the name "sample-vm". */
static void
fill_string(struct sample_node *node)
{
	const char *class = schema_class_name(node->parent->class);
	const char *end = strstr(class, "EventArgument");
	char name[80];

	if (end != NULL && is_named(node->field, "Name")) {
		snprintf(name, sizeof(name), "sample-%.*s", (int)(end - class), class);
		for (char *c = name; *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		sample_set_text(node, name);
		return;
	}
	sample_set_text(node, "sample");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (is_named(node->field, texts[i].member))
			sample_set_text(node, texts[i].text);
}

static void
fill_scalar(struct sample_node *node)
{
	static const char *const text[] = {
		[SCHEMA_BOOL] = "true",
		[SCHEMA_INT] = "1",
		[SCHEMA_FLOAT32] = "1.5",
		[SCHEMA_FLOAT64] = "1.5",
		[SCHEMA_TIME] = "2026-01-01T00:00:00Z",
		[SCHEMA_BYTES] = "sample",
		[SCHEMA_ANY] = "sample",
	};

	if (node->field->kind == SCHEMA_STRING)
		fill_string(node);
	else
		sample_set_text(node, text[node->field->kind]);
}

static size_t
depth_of(const struct sample_node *node)
{
	size_t depth = 0;

	while ((node = node->parent) != NULL)
		depth++;
	return depth;
}

/* Whether a new object has the member. */
static bool
is_filled(const struct sample_node *object, const struct schema_field *field)
{
	const struct schema_class *event = class_named("Event");
	size_t i = 0;

	if (field->flags & SCHEMA_NEW)
		return false;
	if (object->field != NULL) /* inside: what may not be unset, and the cause of a fault */
		return !(field->flags & SCHEMA_NULLABLE) ||
			(field->kind == SCHEMA_OBJECT &&
				&schema_classes[field->class] == class_named("MethodFault"));
	if (field - schema_class_fields(object->class) >= event->n)
		return true;
	while (!schema_is_a(object->class, class_named(usual[i].class)))
		i++;
	return is_among(field, always) || is_among(field, usual[i].members);
}

static struct sample_node *
add(struct sample *s, struct sample_node *parent, const struct schema_field *field)
{
	struct sample_node *node, **at;

	if (s->n == SAMPLE_NODES_MAX)
		return NULL;
	node = s->node[s->n++] = mem_alloc(sizeof(*node));
	node->field = field;
	node->parent = parent;
	for (at = &parent->first; *at != NULL && (*at)->field <= field; at = &(*at)->next)
		;
	node->next = *at;
	*at = node;
	if (field->kind == SCHEMA_OBJECT) {
		node->class = &schema_classes[field->class];
		if (node->class == class_named("MethodFault")) {
			node->type = "InvalidState"; /* a fault has an actual class */
			node->class = class_named(node->type);
		}
	} else if (field->kind == SCHEMA_MOREF) {
		fill_moref(node);
	} else {
		fill_scalar(node);
	}
	return node;
}

/* Fills the objects from s->node[i] on, and those that this adds. */
static void
fill_objects(struct sample *s, size_t i)
{
	for (; i < s->n; i++) {
		struct sample_node *object = s->node[i];
		const struct schema_field *field;

		if (object->class == NULL || depth_of(object) >= DEPTH_MAX)
			continue;
		field = schema_class_fields(object->class);
		for (size_t k = 0; k < object->class->n; k++)
			if (is_filled(object, &field[k]))
				add(s, object, &field[k]);
	}
}

struct sample_node *
sample_add(struct sample *s, struct sample_node *parent, const struct schema_field *field)
{
	size_t first = s->n;
	struct sample_node *node = add(s, parent, field);

	fill_objects(s, first);
	return node;
}

void
sample_remove(struct sample_node *node)
{
	struct sample_node **at = &node->parent->first;

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
}

/* ---- the event */

static struct sample_node *
member(const struct sample_node *object, const char *name)
{
	struct sample_node *node = object->first;

	while (node != NULL && !is_named(node->field, name))
		node = node->next;
	return node;
}

/* The class of events whose name is nearest; a name that begins like it is near. */
static void
suggest(struct config_suggestion *near)
{
	const struct schema_class *event = class_named("Event");
	size_t len = strlen(near->text);
	const char *longer = NULL;

	for (size_t i = 0; i < schema_n_classes; i++) {
		const char *name = schema_class_name(&schema_classes[i]);

		if (!schema_is_a(&schema_classes[i], event))
			continue;
		config_suggest(near, name);
		if (len >= 4 && strncasecmp(name, near->text, len) == 0 &&
			(longer == NULL || strlen(name) < strlen(longer)))
			longer = name;
	}
	if (near->best == NULL)
		near->best = longer;
}

static int
unknown(const char *name, const struct schema_class *class, struct err *err)
{
	struct config_suggestion near = { .text = name };

	suggest(&near);
	if (near.best != NULL)
		return err_set(err, ERR_USAGE, "%.100s: %s, did you mean %s?", name,
			class != NULL ? "not a class of events" : "no such event", near.best);
	return err_set(err, ERR_USAGE,
		"%.100s: %s; the id of an EventEx has a dot, `vcourier events` lists the classes",
		name, class != NULL ? "not a class of events" : "no such event");
}

static bool
is_id(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return false;
	return len <= SAMPLE_ID_MAX && strchr(name, '.') != NULL && name[0] != '.' &&
		name[len - 1] != '.' && strstr(name, "..") == NULL &&
		text_utf8_valid(name, len) == len;
}

int
sample_open(struct sample **sample, const char *name, struct err *err)
{
	const struct schema_class *class = class_named(name);
	bool id = class == NULL && is_id(name);
	char message[SAMPLE_ID_MAX + 64];
	struct sample *s;

	if (!id && (class == NULL || !schema_is_a(class, class_named("Event"))))
		return unknown(name, class, err);
	s = mem_alloc(sizeof(*s));
	s->event = s->node[s->n++] = mem_alloc(sizeof(*s->event));
	s->event->class = id ? class_named("EventEx") : class;
	fill_objects(s, 0);
	if (member(s->event, "EventTypeId") != NULL)
		sample_set_text(
			member(s->event, "EventTypeId"), id ? name : "com.example.SampleEvent");
	snprintf(message, sizeof(message), "A test event of vcourier emit: %s", name);
	sample_set_text(member(s->event, "FullFormattedMessage"), message);
	*sample = s;
	return 0;
}

void
sample_close(struct sample *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		free(s->node[i]->text);
		free(s->node[i]->moref);
		free(s->node[i]);
	}
	free(s);
}

void
sample_identify(struct sample *s, int32_t key, int64_t created_us)
{
	char time[CLOCK_TEXT_SIZE], digits[16];

	snprintf(digits, sizeof(digits), "%" PRId32, key);
	sample_set_text(member(s->event, "Key"), digits);
	sample_set_text(member(s->event, "ChainId"), digits);
	sample_set_text(member(s->event, "CreatedTime"), clock_format(created_us, time));
}

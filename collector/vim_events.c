// SPDX-License-Identifier: Apache-2.0
/* The calls about events: collectors, pages, the latest event, descriptions, privileges. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "text.h"
#include "vim_session.h"

int
vim_current_time(struct vim *vim, int64_t *us, struct err *err)
{
	struct soap_reply *reply;
	const char *text;
	bool ok;

	vim_begin(vim, "CurrentTime", "ServiceInstance", "ServiceInstance");
	if (vim_call(vim, "CurrentTime", &reply, err) != 0)
		return -1;
	text = soap_text(soap_body(reply), "returnval");
	ok = clock_parse(text, strlen(text), us);
	soap_free(reply);
	return ok ? 0 : err_set(err, ERR_PROTOCOL, "CurrentTime: no time in the reply");
}

int
vim_create_collector(struct vim *vim, const struct vim_filter *filter, struct vim_collector *c,
	struct err *err)
{
	char time[CLOCK_TEXT_SIZE];
	struct soap_reply *reply;

	vim_begin(vim, "CreateCollectorForEvents", "EventManager", vim->event_manager);
	buf_add_str(&vim->body, "<filter>");
	if (filter->begin_us != INT64_MIN || filter->end_us != INT64_MAX) {
		buf_add_str(&vim->body, "<time>");
		if (filter->begin_us != INT64_MIN)
			vim_add(vim, "beginTime", clock_format(filter->begin_us, time));
		if (filter->end_us != INT64_MAX)
			vim_add(vim, "endTime", clock_format(filter->end_us, time));
		buf_add_str(&vim->body, "</time>");
	}
	buf_add_str(&vim->body, "<disableFullMessage>false</disableFullMessage>");
	if (filter->type != NULL)
		vim_add(vim, "eventTypeId", filter->type);
	buf_printf(&vim->body, "<maxCount>%d</maxCount></filter>",
		filter->latest ? filter->latest : 1);
	if (vim_call(vim, "CreateCollectorForEvents", &reply, err) != 0)
		return -1;
	snprintf(c->ref, sizeof(c->ref), "%s", soap_text(soap_body(reply), "returnval"));
	soap_free(reply);
	return *c->ref ? 0
		       : err_set(err, ERR_PROTOCOL,
				 "CreateCollectorForEvents: no collector in the reply");
}

int
vim_reset_collector(struct vim *vim, const struct vim_collector *c, struct err *err)
{
	struct soap_reply *reply;

	vim_begin(vim, "ResetCollector", "EventHistoryCollector", c->ref);
	if (vim_call(vim, "ResetCollector", &reply, err) != 0)
		return -1;
	soap_free(reply);
	return 0;
}

void
vim_destroy_collector(struct vim *vim, struct vim_collector *c)
{
	struct soap_reply *reply;

	if (strcmp(vim->ahead, c->ref) == 0)
		vim_drop_ahead(vim);
	if (*c->ref && vim->cookie != NULL) {
		vim_begin(vim, "DestroyCollector", "EventHistoryCollector", c->ref);
		vim_call(vim, "DestroyCollector", &reply, NULL);
		soap_free(reply);
	}
	c->ref[0] = '\0';
}

struct object {
	const char *type, *ref;
	bool head;                      /* if the reply is too large, its beginning is enough */
	const struct soap_items *items; /* the property is a long list; NULL: it is not */
};

static struct object
event_manager(const struct vim *vim)
{
	return (struct object){ .type = "EventManager", .ref = vim->event_manager };
}

/*
 * RetrievePropertiesEx of one property of one object. vCenter reports a session that has ended
 * in missingSet, with HTTP 200.
 */
static int
get_property(struct vim *vim, const struct object *object, const char *path,
	struct soap_reply **reply, struct err *err)
{
	const struct soap_node *fault;
	const char *missing;

	vim_begin(vim, "RetrievePropertiesEx", "PropertyCollector", vim->property_collector);
	buf_add_str(&vim->body, "<specSet><propSet>");
	vim_add(vim, "type", object->type);
	vim_add(vim, "pathSet", path);
	buf_printf(&vim->body, "</propSet><objectSet><obj type=\"%s\">", object->type);
	soap_add_escaped(&vim->body, object->ref);
	buf_add_str(&vim->body, "</obj></objectSet></specSet><options/>");
	if ((object->head ? vim_call_head(vim, "RetrievePropertiesEx", reply, err)
			  : vim_call_items(vim, "RetrievePropertiesEx", object->items, reply,
				    err)) != 0)
		return -1;
	fault = soap_get(soap_body(*reply), "returnval/objects/missingSet/fault/fault");
	missing = soap_type(fault);
	if (*missing == '\0')
		return 0;
	if (strcmp(missing, "NotAuthenticated") == 0)
		vim_logout(vim);
	err_set(err, strcmp(missing, "NotAuthenticated") == 0 ? ERR_NOT_FOUND : ERR_FORBIDDEN,
		"%s: %s, it takes %s", path, missing, soap_text(fault, "privilegeId"));
	soap_free(*reply);
	*reply = NULL;
	return -1;
}

/* The identity of an Event. any is false when it has none. */
static struct vim_latest
identity(const struct soap_node *event)
{
	struct vim_latest found = { .any = false };
	const char *created = soap_text(event, "createdTime");
	int64_t key;

	if (event != NULL && text_int(soap_text(event, "key"), INT32_MIN, INT32_MAX, &key) &&
		clock_parse(created, strlen(created), &found.created_us)) {
		found.key = (int32_t)key;
		found.any = true;
	}
	return found;
}

int
vim_latest_event(struct vim *vim, struct vim_latest *latest, struct err *err)
{
	struct object manager = event_manager(vim);
	struct soap_reply *reply;

	manager.head = true;
	if (get_property(vim, &manager, "latestEvent", &reply, err) != 0)
		return -1;
	*latest = identity(soap_get(soap_body(reply), "returnval/objects/propSet/val"));
	soap_free(reply);
	return 0;
}

struct latest {
	int left; /* events that fn may be called for */
	void (*fn)(void *ctx, const struct vim_latest *event);
	void *ctx;
};

static void
on_latest(void *ctx, const struct soap_node *event)
{
	struct latest *latest = ctx;
	struct vim_latest found = identity(event);

	if (latest->left-- > 0 && found.any)
		latest->fn(latest->ctx, &found);
}

static int
latest_page(struct vim *vim, const struct latest *latest, struct err *err)
{
	struct vim_filter all = {
		.begin_us = INT64_MIN, .end_us = INT64_MAX, .latest = latest->left
	};
	struct vim_collector collector = { "" };
	struct latest counted = *latest; /* it counts down */
	const struct soap_items events = { "val", "Event", on_latest, &counted };
	const struct soap_node *event;
	struct soap_reply *reply;
	bool too_large, one = latest->left == 1;
	int failed;

	if (vim_create_collector(vim, &all, &collector, err) != 0)
		return -1;
	failed = get_property(vim,
		&(struct object){ .type = "EventHistoryCollector",
			.ref = collector.ref,
			.head = one,
			.items = one ? NULL : &events },
		"latestPage", &reply, err);
	if (!failed) {
		event = soap_get(soap_body(reply), "returnval/objects/propSet/val/Event");
		if (event != NULL) /* the one */
			on_latest(&counted, event);
		soap_free(reply);
	}
	too_large = vim->too_large;
	vim_destroy_collector(vim, &collector);
	vim->too_large = too_large;
	return failed;
}

int
vim_latest_page(struct vim *vim, int max, void (*fn)(void *ctx, const struct vim_latest *event),
	void *ctx, struct err *err)
{
	struct latest latest = { max, fn, ctx };
	int failed;

	while ((failed = latest_page(vim, &latest, err)) != 0 && vim->too_large &&
		latest.left > 1)
		latest.left /= 2;
	return failed;
}

struct descriptions {
	void (*fn)(void *ctx, const struct vim_description *description);
	void *ctx;
};

static void
on_description(void *ctx, const struct soap_node *info)
{
	const struct descriptions *all = ctx;
	const char *key = soap_text(info, "key");
	const char *full = soap_text(info, "fullFormat"), *bar = strchr(full, '|');
	struct vim_description d = { key, soap_text(info, "category"),
		soap_text(info, "description") };
	char id[256];

	all->fn(all->ctx, &d);
	/* the description of an EventEx or ExtendedEvent is "id|text", listed under its class */
	if ((strcmp(key, "EventEx") != 0 && strcmp(key, "ExtendedEvent") != 0) || bar == NULL)
		return;
	snprintf(id, sizeof(id), "%.*s", (int)(bar - full), full);
	d.name = id;
	d.text = *d.text != '\0' ? d.text : bar + 1;
	all->fn(all->ctx, &d);
}

int
vim_event_descriptions(struct vim *vim,
	void (*fn)(void *ctx, const struct vim_description *description), void *ctx,
	struct err *err)
{
	struct descriptions all = { fn, ctx };
	const struct soap_items infos = { "val", "EventDescriptionEventDetail", on_description,
		&all };
	struct object manager = event_manager(vim);
	struct soap_reply *reply;

	manager.items = &infos;
	if (get_property(vim, &manager, "description.eventInfo", &reply, err) != 0)
		return -1;
	soap_free(reply);
	return 0;
}

int
vim_access(struct vim *vim, struct vim_access *access, struct err *err)
{
	const struct soap_node *p;
	struct soap_reply *reply;

	*access = (struct vim_access){ .known = false };
	if (!*vim->authorization_manager || !*vim->root_folder)
		return 0;
	vim_begin(vim, "HasPrivilegeOnEntities", "AuthorizationManager",
		vim->authorization_manager);
	buf_add_str(&vim->body, "<entity type=\"Folder\">");
	soap_add_escaped(&vim->body, vim->root_folder);
	buf_add_str(&vim->body, "</entity>");
	vim_add(vim, "sessionId", vim->session_key);
	vim_add(vim, "privId", "System.View");
	vim_add(vim, "privId", "System.Read");
	if (vim_call(vim, "HasPrivilegeOnEntities", &reply, err) != 0) {
		if (err->code == ERR_FORBIDDEN) /* the question itself needs System.View */
			*access = (struct vim_access){ .known = true,
				.missing = "System.View" };
		/* a vCenter before 5.5 does not have the method */
		return err->code == ERR_FORBIDDEN || err->code == ERR_PROTOCOL ? 0 : -1;
	}
	p = soap_get(soap_body(reply), "returnval/privAvailability");
	for (; p != NULL; p = soap_next(p)) {
		size_t n = strlen(access->missing);

		access->known = true;
		if (strcmp(soap_text(p, "isGranted"), "true") != 0)
			snprintf(access->missing + n, sizeof(access->missing) - n, "%s%s",
				n ? ", " : "", soap_text(p, "privId"));
	}
	soap_free(reply);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "event_summary.h"

#include "json_member.h"

/* The object that the event is about. */
static const char *
entity_of(const cJSON *data)
{
	static const char *const members[] = { "Vm", "Entity", "Host", "Ds", "Net", "Dvs",
		"ComputeResource", "Datacenter" };
	const char *name = "";

	for (size_t i = 0; name[0] == '\0' && i < sizeof(members) / sizeof(members[0]); i++) {
		name = json_member_text(json_member(data, members[i]), "Name");
		if (i == 0 && name[0] == '\0')
			name = json_member_text(data, "ObjectName");
	}
	return name;
}

void
event_summary_read(struct event_summary *s, const struct event *ev)
{
	s->data = ev->data != NULL && ev->data_is_json
		? cJSON_ParseWithLength(ev->data, ev->data_len)
		: NULL;
	s->name = ev->subject[0] != '\0' ? ev->subject : ev->type;
	s->severity = event_extension(ev, "severity");
	s->entity = entity_of(s->data);
	s->user = json_member_text(s->data, "UserName");
	s->message = json_member_text(s->data, "FullFormattedMessage");
}

void
event_summary_free(struct event_summary *s)
{
	cJSON_Delete(s->data);
	s->data = NULL;
}

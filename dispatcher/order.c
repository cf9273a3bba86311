// SPDX-License-Identifier: Apache-2.0
#include "order.h"

#include <string.h>

#include "hash.h"
#include "json.h"

struct text_span {
	const char *at;
	size_t len;
};

/* The value of one member of a JSON object; len 0 when it is not there or this is no object. */
static struct text_span
member(struct text_span object, const char *name)
{
	const char *p = object.at, *end;
	size_t n = strlen(name);

	if (object.len == 0)
		return (struct text_span){ NULL, 0 };
	end = p + object.len;
	json_skip_blanks(&p, end);
	if (p == end || *p++ != '{')
		return (struct text_span){ NULL, 0 };
	for (;;) {
		const char *key, *value;
		size_t key_len;

		json_skip_blanks(&p, end);
		key = p;
		if (p == end || *p != '"' || !json_skip_value(&p, end))
			break;
		key_len = (size_t)(p - key);
		json_skip_blanks(&p, end);
		if (p == end || *p++ != ':')
			break;
		json_skip_blanks(&p, end);
		value = p;
		if (!json_skip_value(&p, end))
			break;
		if (key_len == n + 2 && memcmp(key + 1, name, n) == 0)
			return (struct text_span){ value, (size_t)(p - value) };
		json_skip_blanks(&p, end);
		if (p == end || *p++ != ',')
			break;
	}
	return (struct text_span){ NULL, 0 };
}

uint64_t
order_key(const struct event *ev)
{
	static const char *const entities[][2] = {
		{ "Vm", "Vm" },
		{ "Host", "Host" },
		{ "Ds", "Datastore" },
		{ "Net", "Network" },
		{ "Dvs", "Dvs" },
		{ "ComputeResource", "ComputeResource" },
		{ "Datacenter", "Datacenter" },
	};
	uint64_t hash = hash_fnv1a(HASH_FNV1A, ev->source, strlen(ev->source));
	struct text_span data = { ev->data, ev->data ? ev->data_len : 0 };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		struct text_span entity = member(member(data, entities[i][0]), entities[i][1]),
				 id = member(entity, "Value");

		if (id.len > 0)
			return hash_fnv1a(
				hash_fnv1a(hash, entities[i][0], strlen(entities[i][0])), id.at,
				id.len);
	}
	return hash;
}

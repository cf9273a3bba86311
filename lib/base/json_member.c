// SPDX-License-Identifier: Apache-2.0
#include "json_member.h"

const cJSON *
json_member(const cJSON *object, const char *name)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *
json_member_string(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(json_member(object, name));
}

const char *
json_member_text(const cJSON *object, const char *name)
{
	const char *text = json_member_string(object, name);

	return text != NULL ? text : "";
}

bool
json_member_true(const cJSON *object, const char *name)
{
	return cJSON_IsTrue(json_member(object, name));
}

static double
number(const cJSON *item)
{
	return item != NULL && cJSON_IsNumber(item) ? item->valuedouble : 0;
}

double
json_member_number(const cJSON *object, const char *name)
{
	return number(json_member(object, name));
}

uint64_t
json_member_uint(const cJSON *object, const char *name)
{
	return json_uint(json_member(object, name));
}

uint64_t
json_uint(const cJSON *item)
{
	double n = number(item);

	if (!(n > 0))
		return 0;
	return n < 0x1p64 ? (uint64_t)n : UINT64_MAX;
}

int64_t
json_member_int(const cJSON *object, const char *name)
{
	double n = json_member_number(object, name);

	if (!(n > -0x1p63))
		return n < 0 ? INT64_MIN : 0;
	return n < 0x1p63 ? (int64_t)n : INT64_MAX;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Members of a JSON object that cJSON has parsed. A reply from outside may lack any of them or
 * give it another type; each function then returns its default. Numbers are bounded before they
 * are converted.
 */
#ifndef VCOURIER_JSON_MEMBER_H
#define VCOURIER_JSON_MEMBER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* NULL when object is not a JSON object or lacks the member. Names are case-sensitive. */
const cJSON *json_member(const cJSON *object, const char *name);

/* NULL when the member is missing or not a string. Lives as long as the object. */
const char *json_member_string(const cJSON *object, const char *name);

/* The same, "" instead of NULL. */
const char *json_member_text(const cJSON *object, const char *name);

/* True when the member is the literal true. */
bool json_member_true(const cJSON *object, const char *name);

/*
 * 0 when the member is missing or not a number. It may be infinite: bound it before a
 * conversion.
 */
double json_member_number(const cJSON *object, const char *name);

/*
 * 0 when the member is missing, not a number, negative or NaN; at most UINT64_MAX. Exact up to
 * 2^53, as JSON numbers are.
 */
uint64_t json_member_uint(const cJSON *object, const char *name);

/* The same for a value itself, such as a member with a name from outside; item may be NULL. */
uint64_t json_uint(const cJSON *item);

/* 0 when the member is missing, not a number or NaN; bounded by INT64_MIN and INT64_MAX. */
int64_t json_member_int(const cJSON *object, const char *name);

#endif

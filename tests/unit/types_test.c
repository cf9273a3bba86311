// SPDX-License-Identifier: Apache-2.0
/* schemas/types.h: facts of the vSphere API reference, looked up in the compiled table. */
#include "test.h"

#include <string.h>

#include "schema.h"

static const struct schema_class *
class_of(const char *name)
{
	const struct schema_class *c = schema_find(name, strlen(name));

	if (c == NULL)
		fail_msg("%s is not in the table", name);
	return c;
}

static void
the_table_has_all_event_classes(void **state)
{
	const struct schema_class *event = class_of("Event");
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < schema_n_classes; i++)
		n += schema_is_a(&schema_classes[i], event) ? 1 : 0;
	assert_int_equal(n, 443); /* Event itself included */
}

static void
every_name_is_found_and_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_n_classes; i++)
		assert_ptr_equal(
			class_of(schema_class_name(&schema_classes[i])), &schema_classes[i]);
	for (size_t i = 0; i < schema_n_names; i++) {
		const struct schema_name *n = &schema_names[i];

		assert_int_equal(
			schema_find_name(schema_member_text + n->at + 2, n->len - 4U), i);
	}
	assert_null(schema_find("", 0));
	assert_null(schema_find("Event\0x", 7));
	assert_null(schema_find("VmPoweredOn", 11));
	assert_null(schema_find("VmPoweredOnEventX", 17));
	assert_int_equal(schema_find_name("", 0), SCHEMA_NONE);
	assert_int_equal(schema_find_name("nosuchfield", 11), SCHEMA_NONE);
}

static void
fields_are_inherited_in_order(void **state)
{
	static const struct {
		const char *name;
		int kind, flags;
	} rows[] = {
		{ "key", SCHEMA_INT, 0 },
		{ "chainId", SCHEMA_INT, 0 },
		{ "createdTime", SCHEMA_TIME, 0 },
		{ "userName", SCHEMA_STRING, 0 },
		{ "datacenter", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "computeResource", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "host", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "vm", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "ds", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "net", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "dvs", SCHEMA_OBJECT, SCHEMA_NULLABLE },
		{ "fullFormattedMessage", SCHEMA_STRING, 0 },
		{ "changeTag", SCHEMA_STRING, 0 },
		{ "eventTypeId", SCHEMA_STRING, 0 },
		{ "severity", SCHEMA_STRING, 0 },
		{ "message", SCHEMA_STRING, 0 },
		{ "arguments", SCHEMA_OBJECT, SCHEMA_ARRAY | SCHEMA_NULLABLE },
		{ "objectId", SCHEMA_STRING, 0 },
		{ "objectType", SCHEMA_STRING, 0 },
		{ "objectName", SCHEMA_STRING, 0 },
		{ "fault", SCHEMA_OBJECT, SCHEMA_NULLABLE },
	};
	const struct schema_class *c = class_of("EventEx");
	const struct schema_field *f = schema_class_fields(c);

	(void)state;
	assert_int_equal(c->n, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			f[i].name, schema_find_name(rows[i].name, strlen(rows[i].name)));
		assert_int_equal(f[i].kind, rows[i].kind);
		assert_int_equal(f[i].flags, rows[i].flags);
	}
	assert_ptr_equal(&schema_classes[f[16].class], class_of("KeyAnyValue"));
	assert_true(schema_is_a(class_of("VmPoweredOnEvent"), class_of("VmEvent")));
	assert_false(schema_is_a(class_of("VmEvent"), class_of("VmPoweredOnEvent")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_all_event_classes),
		cmocka_unit_test(every_name_is_found_and_sorted),
		cmocka_unit_test(fields_are_inherited_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

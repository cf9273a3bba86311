// SPDX-License-Identifier: Apache-2.0
/*
 * Made-up events: every class, members by path. tests/integration/test_emit.py compares them
 * with govmomi.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "normalize.h"
#include "sample.h"

enum { CREATED_S = 1795325231 }; /* 2026-11-22T05:27:11Z */

/* The event's data as JSON; the caller's. */
static char *
data_of(const struct sample *sample)
{
	struct normalizer *n;
	struct normalize_page page;
	struct err err = { .code = ERR_NONE };
	struct buf xml;
	char *data;

	buf_init(&xml, SAMPLE_XML_MAX);
	sample_write(sample, &xml);
	assert_true(buf_ok(&xml));
	normalizer_open(&n, NULL);
	normalizer_begin(n);
	assert_int_equal(normalizer_feed(n, xml.data, xml.len, &err), 0);
	if (normalizer_end(n, &page, &err) != 0)
		fail_msg("%s: %s", err.text, buf_str(&xml));
	assert_int_equal(page.n, 1);
	assert_false(page.event[0].schema_unknown);
	assert_false(page.repaired || page.event[0].trimmed || page.event[0].stub);
	data = mem_alloc(page.event[0].data_len + 1);
	memcpy(data, page.event[0].data, page.event[0].data_len);
	normalizer_close(n);
	buf_free(&xml);
	return data;
}

static struct sample *
opened(const char *name)
{
	struct sample *sample;
	struct err err;

	if (sample_open(&sample, name, &err) != 0)
		fail_msg("%s", err.text);
	sample_identify(sample, 7, CREATED_S * (int64_t)1000000);
	return sample;
}

static void
every_class(void **state)
{
	const struct schema_class *event = schema_find("Event", 5);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < schema_n_classes; i++) {
		struct sample *sample;
		char *data;

		if (!schema_is_a(&schema_classes[i], event))
			continue;
		sample = opened(schema_class_name(&schema_classes[i]));
		data = data_of(sample);
		assert_non_null(strstr(data,
			"\"Key\":7,\"ChainId\":7,\"CreatedTime\":\"2026-11-22T05:27:11Z\""));
		free(data);
		sample_close(sample);
		n++;
	}
	assert_int_equal(n, 443);
}

static void
members(void **state)
{
	static const struct {
		const char *name, *path, *value, *in_data;
	} rows[] = {
		{ "VmPoweredOnEvent", "Vm.Name", "web-1",
			"\"Vm\":{\"Name\":\"web-1\",\"Vm\":{\"Type\":\"VirtualMachine\",\"Value\":\"vm-101\"}}" },
		{ "VmPoweredOnEvent", "Vm.Vm", "VirtualMachine:vm-42",
			"\"Vm\":{\"Type\":\"VirtualMachine\",\"Value\":\"vm-42\"}" },
		{ "VmPoweredOnEvent", "Vm.Vm.Value", "vm-43", "\"Value\":\"vm-43\"" },
		{ "VmPoweredOnEvent", "Vm", "null", "\"Vm\":null" },
		{ "VmPoweredOnEvent", "Template", "false", "\"Template\":false" },
		{ "VmPoweredOnEvent", "Ds.Name", "nvme <1>",
			"\"Ds\":{\"Name\":\"nvme \\u003c1\\u003e\"" },
		{ "VmPoweredOnEvent", "UserName", "null", "\"UserName\":\"null\"" },
		{ "VmPoweredOnEvent", "FullFormattedMessage", "",
			"\"FullFormattedMessage\":\"\"" },
		{ "esx.problem.vmnic.down", "Arguments.0.Value", "7", "\"Value\":\"7\"" },
		{ "esx.problem.vmnic.down", "Arguments.1.Key", "nic", "\"Key\":\"nic\"" },
		{ "esx.problem.vmnic.down", "Arguments", "null", "\"Arguments\":null" },
		{ "esx.problem.vmnic.down", "ObjectType", "HostSystem",
			"\"EventTypeId\":\"esx.problem.vmnic.down\"" },
		{ "ExtendedEvent", "EventTypeId", "com.x.y", "\"EventTypeId\":\"com.x.y\"" },
		{ "VmPoweredOnEvent", "CreatedTime", "2026-01-02T03:04:05Z",
			"\"CreatedTime\":\"2026-01-02T03:04:05Z\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sample *sample = opened(rows[i].name);
		struct err err;
		char *data;

		if (sample_set(sample, rows[i].path, rows[i].value, &err) != 0)
			fail_msg("%s", err.text);
		data = data_of(sample);
		if (strstr(data, rows[i].in_data) == NULL)
			fail_msg("%s: %s", rows[i].in_data, data);
		free(data);
		sample_close(sample);
	}
}

static void
wrong_members(void **state)
{
	static const struct {
		const char *name, *path, *value, *why;
	} rows[] = {
		{ "VmPoweredOnEvent", "Vn.Name", "x",
			"data.Vn.Name: VmPoweredOnEvent has no member Vn, did you mean Vm?" },
		{ "VmPoweredOnEvent", "vm.name", "x", "did you mean Vm?" },
		{ "VmPoweredOnEvent", "Vm.Nam", "x", "did you mean Name?" },
		{ "VmPoweredOnEvent", "", "x", "has no member \"\"" },
		{ "VmPoweredOnEvent", ".", "x", "has no member \"\"" },
		{ "VmPoweredOnEvent", "Vm", "x", "\"x\" is not an object" },
		{ "VmPoweredOnEvent", "Template", "yes", "\"yes\" is not true or false" },
		{ "VmPoweredOnEvent", "Key", "1.5", "is not a whole number" },
		{ "VmPoweredOnEvent", "Key", "", "is not a whole number" },
		{ "VmPoweredOnEvent", "Key", "null", "cannot be null" },
		{ "VmPoweredOnEvent", "Key.x", "1", "nothing is inside of it" },
		{ "VmPoweredOnEvent", "CreatedTime", "noon", "is not a time" },
		{ "VmPoweredOnEvent", "Vm.Vm", "vm-1", "is not Type:Value" },
		{ "VmPoweredOnEvent", "Vm.Vm", ":vm-1", "is not Type:Value" },
		{ "VmPoweredOnEvent", "Vm.Vm.Name", "x", "a MoRef has Type and Value" },
		{ "VmPoweredOnEvent", "Vm.Name", "\xff", "not UTF-8" },
		{ "a.b", "Arguments.x.Key", "1",
			"its entries are .0, .1 and so on up to .255" },
		{ "a.b", "Arguments.256.Key", "1", "up to .255" },
		{ "a.b", "Arguments.9.Key", "1", "has 1 entries, the next one is .1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sample *sample = opened(rows[i].name);
		struct err err = { .code = ERR_NONE };

		assert_int_equal(sample_set(sample, rows[i].path, rows[i].value, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].path, err.text);
		sample_close(sample);
	}
}

static void
names(void **state)
{
	static const struct {
		const char *name, *why; /* NULL: it is one */
	} rows[] = {
		{ "com.vmware.vc.HA.DasHostFailedEvent", NULL },
		{ "VmPoweredOn", "no such event, did you mean VmPoweredOnEvent?" },
		{ "vmpoweredonevent", "did you mean VmPoweredOnEvent?" },
		{ "VmEventArgument", "not a class of events" },
		{ "", "no such event" },
		{ ".", "no such event" },
		{ "a..b", "no such event" },
		{ ".a", "no such event" },
		{ "a b.c", "no such event" },
		{ "a.\x1b[31m", "no such event" },
		{ "a.\xff", "no such event" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sample *sample = NULL;
		struct err err = { .code = ERR_NONE };
		int failed = sample_open(&sample, rows[i].name, &err);

		assert_int_equal(failed, rows[i].why == NULL ? 0 : -1);
		if (failed && strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].name, err.text);
		sample_close(sample);
	}
}

/* The number of elements has a bound, and what is added is freed. */
static void
many_members(void **state)
{
	struct sample *sample = opened("a.b");
	struct err err = { .code = ERR_NONE };
	char path[64];
	int failed = 0;

	(void)state;
	for (int i = 0; i < 256 && !failed; i++) {
		snprintf(path, sizeof(path), "Arguments.%d.Key", i);
		failed = sample_set(sample, path, "k", &err);
	}
	assert_int_equal(failed, 0);
	for (int i = 0; i < SAMPLE_NODES_MAX && !failed; i++) {
		assert_int_equal(sample_set(sample, "Vm", "null", &err), 0);
		failed = sample_set(sample, "Vm.Name", "x", &err);
	}
	assert_int_equal(failed, -1);
	assert_non_null(strstr(err.text, "too many members"));
	sample_close(sample);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class),
		cmocka_unit_test(members),
		cmocka_unit_test(wrong_members),
		cmocka_unit_test(names),
		cmocka_unit_test(many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

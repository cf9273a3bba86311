// SPDX-License-Identifier: Apache-2.0
/* OpenFaaS: which topics of a function match an event, and the dotted name of an event. */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "openfaas_lab.h"

/*
 * Annotation, event name, and who is called: exact and case-sensitive, as the event router did.
 */
static void
topics(void **state)
{
	static const struct {
		const char *options, *topic, *name;
		bool match;
	} rows[] = {
		{ "", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", true },
		{ "", "\" a , VmPoweredOnEvent,,\\tb\"", "VmPoweredOnEvent", true },
		{ "", "\"a,b\"", "b", true },
		{ "", "\"a,a,a\"", "a", true },
		{ "", "\"VmPoweredOnEvent\"", "VmPoweredOnEven", false },
		{ "", "\"vmpoweredonevent\"", "VmPoweredOnEvent", false },
		{ "", "\"com.vmware.vc.HA.X\"", "com.vmware.vc.HA.X", true },
		{ "", "\"vm.powered.on\"", "VmPoweredOnEvent", false },
		{ "", "\"Vm*\"", "VmPoweredOnEvent", false },
		{ "", "\"\"", "VmPoweredOnEvent", false },
		{ "", "\",, ,\"", "VmPoweredOnEvent", false },
		{ "", "7", "7", false },
		{ "", "[\"a\"]", "a", false },
		{ "", "null", "null", false },
		{ ", topicWildcards: true", "\"Vm*\"", "VmPoweredOnEvent", true },
		{ ", topicWildcards: true", "\"*,Vm*,VmPoweredOnEvent\"", "VmPoweredOnEvent",
			true },
		{ ", topicWildcards: true", "\"*On*t\"", "VmPoweredOnEvent", true },
		{ ", topicWildcards: true", "\"Vm*Off*\"", "VmPoweredOnEvent", false },
		{ ", topicWildcards: true", "\"*ab\"", "aaab", true },
		{ ", topicWildcards: true", "\"com.vmware.*\"", "com.vmware.vc.HA.X", true },
		{ ", topicWildcards: true", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", true },
		{ ", topicStyle: dotted", "\"vm.powered.on\"", "VmPoweredOnEvent", true },
		{ ", topicStyle: dotted", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", false },
		{ ", topicStyle: both", "\"vm.powered.on,VmPoweredOnEvent\"",
			"VmPoweredOnEvent", true },
		{ ", topicStyle: both, topicWildcards: true", "\"vm.*,Vm*,VmPoweredOnEvent\"",
			"VmPoweredOnEvent", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		char text[512];

		snprintf(text, sizeof(text), "{address: 'http://gw'%s}\n", rows[i].options);
		backend_open(&b, &processor_openfaas, text);
		snprintf(text, sizeof(text),
			"[{\"name\":\"f\",\"annotations\":{\"topic\":%s}}]", rows[i].topic);
		assert_int_equal(load(&b, text), REFRESH_DONE);
		assert_string_equal(route_name(&b, rows[i].name), rows[i].match ? " f.fn" : "");
		backend_close(&b);
	}
}

/*
 * Expected: what the conversion in openfaas-incubator/vcenter-connector makes of govmomi's
 * names.
 */
static void
dotted_topics(void **state)
{
	static const struct {
		const char *class, *name, *want;
	} rows[] = {
		{ "event", "VmPoweredOnEvent", "vm.powered.on" },
		{ "event", "DrsVmPoweredOnEvent", "drs.vm.powered.on" },
		{ "event", "DVPortgroupCreatedEvent", "dv.portgroup.created" },
		{ "event", "DatastoreIORMReconfiguredEvent", "datastore.iorm.reconfigured" },
		{ "event", "HostVnicConnectedToCustomizedDVPortEvent",
			"host.vnic.connected.to.customized.dv.port" },
		{ "event", "IScsiBootFailureEvent", "i.scsi.boot.failure" },
		{ "event", "NASDatastoreCreatedEvent", "nas.datastore.created" },
		{ "event", "NonVIWorkloadDetectedOnDatastoreEvent",
			"non.vi.workload.detected.on.datastore" },
		{ "event", "VMotionLicenseExpiredEvent", "v.motion.license.expired" },
		{ "event", "VmFailedRelayoutOnVmfs2DatastoreEvent",
			"vm.failed.relayout.on.vmfs2.datastore" },
		{ "event", "VmRequirementsExceedCurrentEVCModeEvent",
			"vm.requirements.exceed.current.evc.mode" },
		{ "event", "LocalTSMEnabledEvent", "local.tsm.enabled" },
		{ "eventex", "com.vmware.vc.HA.X", "ex" },
		{ "extendedevent", "com.example.Y", "extended" },
	};
	struct backend b;

	(void)state;
	backend_open(&b, &processor_openfaas, "{address: 'http://gw', topicStyle: dotted}\n");
	assert_int_equal(load(&b, "[]"), REFRESH_DONE);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event ev;
		char json[1024], want[200];

		named(&ev, json, sizeof(json), rows[i].class, rows[i].name);
		backend_encode(&b, "f", &ev);
		snprintf(want, sizeof(want), "X-Topic: %s\n", rows[i].want);
		assert_non_null(strstr(buf_str(&b.req->headers), want));
		event_free(&ev);
	}
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics),
		cmocka_unit_test(dotted_topics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

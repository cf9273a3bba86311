// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/vmware/govmomi/vim25/types"
)

// templates are the kinds of synthetic events: common ones, and one for each thing that readers get
// wrong (arrays of one element, numbers that are strings, nested faults, int64 beyond 2^53, UTF-8,
// escapes, every kind of AnyType, a class in no schema).
func templates() []*template {
	return []*template{
		newTemplate("VmPoweredOnEvent", func(a args) types.BaseEvent {
			return &types.VmPoweredOnEvent{VmEvent: vmEvent(a, a.vm+" on "+a.host+" in DC0 is powered on")}
		}),
		newTemplate("VmPoweredOffEvent", func(a args) types.BaseEvent {
			return &types.VmPoweredOffEvent{VmEvent: vmEvent(a, a.vm+" on "+a.host+" in DC0 is powered off")}
		}),
		newTemplate("VmStartingEvent", func(a args) types.BaseEvent {
			return &types.VmStartingEvent{VmEvent: vmEvent(a, a.vm+" on host "+a.host+" in DC0 is starting")}
		}),
		newTemplate("VmCreatedEvent", func(a args) types.BaseEvent {
			return &types.VmCreatedEvent{VmEvent: vmEvent(a, "New virtual machine "+a.vm+" created on "+a.host+" in DC0")}
		}),
		newTemplate("VmRemovedEvent", func(a args) types.BaseEvent {
			return &types.VmRemovedEvent{VmEvent: vmEvent(a, "Removed "+a.vm+" on "+a.host+" from DC0")}
		}),
		newTemplate("VmReconfiguredEvent", vmReconfigured),
		newTemplate("VmRenamedEvent", func(a args) types.BaseEvent {
			return &types.VmRenamedEvent{VmEvent: vmEvent(a, "Renamed "+a.vm+" from "+a.vm+" to "+a.vm+"-neü €"),
				OldName: a.vm, NewName: a.vm + "-neü €"}
		}),
		newTemplate("VmFailedToPowerOnEvent", func(a args) types.BaseEvent {
			fault := &types.InsufficientMemoryResourcesFault{Unreserved: 1 << 31, Requested: 1 << 33}
			return &types.VmFailedToPowerOnEvent{
				VmEvent: vmEvent(a, "Cannot power on "+a.vm+" on "+a.host+" in DC0. Insufficient resources"),
				Reason:  types.LocalizedMethodFault{Fault: fault, LocalizedMessage: "Insufficient memory resources."}}
		}),
		newTemplate("VmMessageEvent", func(a args) types.BaseEvent {
			return &types.VmMessageEvent{
				VmEvent: vmEvent(a, "Message on "+a.vm+" on "+a.host+" in DC0: Install tools."), Message: "Install tools.",
				MessageInfo: []types.VirtualMachineMessage{{Id: "msg.toolsInstall", Argument: []types.AnyType{"x", int32(3)},
					Text: "Install tools."}}}
		}),
		newTemplate("VmWwnAssignedEvent", func(a args) types.BaseEvent {
			return &types.VmWwnAssignedEvent{VmEvent: vmEvent(a, "New WWNs assigned to "+a.vm),
				NodeWwns: []int64{2882303761517117440}, PortWwns: []int64{2882303761517117441, -5}}
		}),
		newTemplate("DrsVmMigratedEvent", func(a args) types.BaseEvent {
			msg := "DRS migrated " + a.vm + " from esx99.lab.example to " + a.host + " in cluster DC0_C0 in DC0"
			return &types.DrsVmMigratedEvent{VmMigratedEvent: types.VmMigratedEvent{VmEvent: vmEvent(a, msg),
				SourceHost:       types.HostEventArgument{EntityEventArgument: named("esx99.lab.example"), Host: ref("HostSystem", "host-99")},
				SourceDatacenter: datacenter(),
				SourceDatastore: &types.DatastoreEventArgument{EntityEventArgument: named("LocalDS_0"),
					Datastore: ref("Datastore", "datastore-55")}}}
		}),
		newTemplate("TaskEvent", func(a args) types.BaseEvent {
			vm := ref("VirtualMachine", a.vmID)
			e := event(a, "Task: Power On virtual machine")
			e.Vm = &types.VmEventArgument{EntityEventArgument: named(a.vm), Vm: vm}
			return &types.TaskEvent{Event: e, Info: types.TaskInfo{Key: "task-" + a.vmID, Task: ref("Task", "task-"+a.vmID),
				Name: "PowerOnVM_Task", DescriptionId: "VirtualMachine.powerOn", Entity: &vm, EntityName: a.vm,
				State: types.TaskInfoStateQueued, Reason: &types.TaskReasonUser{UserName: a.user}, QueueTime: a.t,
				EventChainId: a.chain}}
		}),
		newTemplate("UserLoginSessionEvent", func(a args) types.BaseEvent {
			e := noPlace(event(a, "User "+a.user+"@"+a.ip+" logged in as VMware vim-java 1.0"))
			return &types.UserLoginSessionEvent{SessionEvent: types.SessionEvent{Event: e}, IpAddress: a.ip,
				UserAgent: "VMware vim-java 1.0", Locale: "en", SessionId: "52c0ffee-0000-1111-2222-" + a.vmID}
		}),
		newTemplate("UserLogoutSessionEvent", func(a args) types.BaseEvent {
			e := noPlace(event(a, "User "+a.user+"@"+a.ip+
				" logged out (login time: Monday, number of API invocations: 42, user agent: VMware vim-java 1.0)"))
			at := a.t
			return &types.UserLogoutSessionEvent{SessionEvent: types.SessionEvent{Event: e}, IpAddress: a.ip,
				UserAgent: "VMware vim-java 1.0", CallCount: 42, SessionId: "52c0ffee-0000-1111-2222-" + a.vmID, LoginTime: &at}
		}),
		newTemplate("RoleUpdatedEvent", func(a args) types.BaseEvent {
			e := noPlace(event(a, "Modified role Reader"))
			return &types.RoleUpdatedEvent{RoleEvent: types.RoleEvent{AuthorizationEvent: types.AuthorizationEvent{Event: e},
				Role: types.RoleEventArgument{RoleId: -2, Name: "Reader"}},
				PrivilegeList: []string{"System.View", "System.Read"}, PrivilegesAdded: []string{"System.Read"}}
		}),
		newTemplate("PermissionAddedEvent", func(a args) types.BaseEvent {
			e := noPlace(event(a, "Permission created for "+a.user+" on DC0, role is Admin, propagation is Enabled"))
			return &types.PermissionAddedEvent{PermissionEvent: types.PermissionEvent{
				AuthorizationEvent: types.AuthorizationEvent{Event: e},
				Entity:             types.ManagedEntityEventArgument{EntityEventArgument: named("DC0"), Entity: ref("Datacenter", "datacenter-2")},
				Principal:          a.user}, Role: types.RoleEventArgument{RoleId: -1, Name: "Admin"}, Propagate: true}
		}),
		newTemplate("EventEx", func(a args) types.BaseEvent {
			return &types.EventEx{
				Event: event(a, "Lost access to volume 5f3a-"+a.hostID+
					" (LocalDS_0) due to connectivity issues. Recovery attempt is in progress."),
				EventTypeId: "esx.problem.vmfs.heartbeat.timedout", Severity: "warning", Message: "",
				Arguments: []types.KeyAnyValue{{Key: "1", Value: "5f3a-" + a.hostID}, {Key: "2", Value: "LocalDS_0"},
					{Key: "count", Value: int32(7)}, {Key: "bytes", Value: int64(123456789012)}, {Key: "on", Value: true},
					{Key: "ratio", Value: float64(0.25)}, {Key: "at", Value: a.t}, {Key: "_type", Value: "0012"}},
				ObjectId: a.hostID, ObjectType: "HostSystem", ObjectName: a.host}
		}),
		newTemplate("EventEx1", func(a args) types.BaseEvent { // one argument: an array that looks like a scalar
			return &types.EventEx{
				Event:       event(a, "Firewall configuration has changed. Operation 'enable' for rule set sshServer succeeded."),
				EventTypeId: "esx.audit.net.firewall.config.changed", Severity: "info",
				Arguments: []types.KeyAnyValue{{Key: "1", Value: "enable"}},
				ObjectId:  a.hostID, ObjectType: "HostSystem", ObjectName: a.host}
		}),
		newTemplate("ExtendedEvent", func(a args) types.BaseEvent {
			msg := "Appliance health changed"
			return &types.ExtendedEvent{GeneralEvent: types.GeneralEvent{Event: event(a, msg), Message: msg},
				EventTypeId: "com.vmware.lab.HealthChangedEvent", ManagedObject: ref("HostSystem", a.hostID),
				Data: []types.ExtendedEventPair{{Key: "old", Value: "green"}, {Key: "new", Value: "007"}}}
		}),
		newTemplate("AlarmStatusChangedEvent", func(a args) types.BaseEvent {
			e := vmEvent(a, "Alarm 'Virtual machine CPU usage' on "+a.vm+" changed from Green to Yellow").Event
			return &types.AlarmStatusChangedEvent{AlarmEvent: types.AlarmEvent{Event: e,
				Alarm: types.AlarmEventArgument{EntityEventArgument: named("Virtual machine CPU usage"), Alarm: ref("Alarm", "alarm-6")}},
				Source: types.ManagedEntityEventArgument{EntityEventArgument: named("Datacenters"), Entity: ref("Folder", "group-d1")},
				Entity: types.ManagedEntityEventArgument{EntityEventArgument: named(a.vm), Entity: ref("VirtualMachine", a.vmID)},
				From:   "green", To: "yellow"}
		}),
		newTemplate("HostConnectionLostEvent", func(a args) types.BaseEvent {
			return &types.HostConnectionLostEvent{HostEvent: types.HostEvent{Event: event(a, "Host "+a.host+" in DC0 is not responding")}}
		}),
		newTemplate("HostAddFailedEvent", func(a args) types.BaseEvent {
			return &types.HostAddFailedEvent{HostEvent: types.HostEvent{Event: event(a, "Cannot add host "+a.host+" to datacenter DC0")},
				Hostname: a.host}
		}),
		newTemplate("DatastoreRenamedOnHostEvent", func(a args) types.BaseEvent { // names that look like other kinds
			return &types.DatastoreRenamedOnHostEvent{HostEvent: types.HostEvent{Event: event(a, "Renamed datastore from a to b")},
				OldName: "1234", NewName: "true"}
		}),
		newTemplate("FutureVendorEvent", func(a args) types.BaseEvent {
			host := ref("HostSystem", a.hostID)
			return &FutureVendorEvent{Event: event(a, "an event class from the future"), Score: 7, Ratio: 0.5, Enabled: true,
				Tag: []string{"one"}, Item: []types.KeyAnyValue{{Key: "k", Value: int32(1)}}, Target: &host}
		}),
	}
}

// FutureVendorEvent is a class no released vim25 schema has: readers must survive it.
type FutureVendorEvent struct {
	types.Event
	Score   int32                         `xml:"score"`
	Ratio   float64                       `xml:"ratio"`
	Enabled bool                          `xml:"enabled"`
	Tag     []string                      `xml:"tag,omitempty"`
	Item    []types.KeyAnyValue           `xml:"item,omitempty"`
	Target  *types.ManagedObjectReference `xml:"target,omitempty"`
}

func vmReconfigured(a args) types.BaseEvent {
	yes, no := true, false
	disk := &types.VirtualDisk{
		VirtualDevice: types.VirtualDevice{Key: 2000, ControllerKey: 1000, UnitNumber: new(int32),
			DeviceInfo: &types.Description{Label: "Hard disk 1", Summary: "104,857,600 KB"},
			Backing: &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent", ThinProvisioned: &yes,
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: "[LocalDS_0] " + a.vm + "/" + a.vm + ".vmdk"}}},
		CapacityInKB: 104857600, CapacityInBytes: 107374182400}
	msg := "Reconfigured " + a.vm + " on " + a.host + " in DC0. \n \nModified:  \n \n" +
		"config.hardware.memoryMB: 4096 -> 8192;  \n\nAdded:  \n \n Deleted:  \n \n"
	return &types.VmReconfiguredEvent{VmEvent: vmEvent(a, msg),
		ConfigSpec: types.VirtualMachineConfigSpec{ChangeVersion: "2024-05-01T10:00:00.000000Z", NumCPUs: 4, MemoryMB: 8192,
			MemoryHotAddEnabled: &yes, CpuHotAddEnabled: &no,
			DeviceChange: []types.BaseVirtualDeviceConfigSpec{&types.VirtualDeviceConfigSpec{
				Operation: types.VirtualDeviceConfigSpecOperationEdit, Device: disk}},
			ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "guestinfo.note", Value: "a<b & \"c\""},
				&types.OptionValue{Key: "svga.present", Value: true}, &types.OptionValue{Key: "numa.nodes", Value: int32(2)}}},
		ConfigChanges: &types.ChangesInfoEventArgument{Modified: "config.hardware.memoryMB: 4096 -> 8192; \n"}}
}

func ref(kind, value string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: kind, Value: value}
}

func named(name string) types.EntityEventArgument { return types.EntityEventArgument{Name: name} }

func datacenter() *types.DatacenterEventArgument {
	return &types.DatacenterEventArgument{EntityEventArgument: named("DC0"), Datacenter: ref("Datacenter", "datacenter-2")}
}

func event(a args, msg string) types.Event {
	return types.Event{
		Key: a.key, ChainId: a.chain, CreatedTime: a.t, UserName: a.user, Datacenter: datacenter(),
		ComputeResource: &types.ComputeResourceEventArgument{EntityEventArgument: named("DC0_C0"),
			ComputeResource: ref("ClusterComputeResource", "domain-c28")},
		Host:                 &types.HostEventArgument{EntityEventArgument: named(a.host), Host: ref("HostSystem", a.hostID)},
		FullFormattedMessage: msg + a.pad,
	}
}

func vmEvent(a args, msg string) types.VmEvent {
	e := types.VmEvent{Event: event(a, msg)}
	e.Vm = &types.VmEventArgument{EntityEventArgument: named(a.vm), Vm: ref("VirtualMachine", a.vmID)}
	return e
}

func noPlace(e types.Event) types.Event {
	e.Datacenter, e.ComputeResource, e.Host = nil, nil, nil
	return e
}

// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/vmware/govmomi/vim25/types"

// match is the EventFilterSpec: time (both ends inclusive), chain, type (class, base class or
// EventEx id), entity (a VM or host; folders and datacenters match everything), user.
func (c *Collector) match(e *entry) bool {
	s := c.spec
	if s.Time != nil {
		if s.Time.BeginTime != nil && e.micros < s.Time.BeginTime.UnixNano()/1000 {
			return false
		}
		if s.Time.EndTime != nil && e.micros > s.Time.EndTime.UnixNano()/1000 {
			return false
		}
	}
	if s.EventChainId != 0 && s.EventChainId != e.key {
		return false
	}
	return matchType(s, e) && matchEntity(s, e) && matchUser(s, e)
}

func matchType(s *types.EventFilterSpec, e *entry) bool {
	if len(s.EventTypeId) == 0 && len(s.Type) == 0 {
		return true
	}
	for _, class := range e.classes() {
		if contains(s.EventTypeId, class) || contains(s.Type, class) {
			return true
		}
	}
	return false
}

func matchEntity(s *types.EventFilterSpec, e *entry) bool {
	if s.Entity == nil || s.Entity.Entity.Type == "Folder" || s.Entity.Entity.Type == "Datacenter" {
		return true
	}
	ev, id := e.event().GetEvent(), s.Entity.Entity.Value
	return ev.Vm != nil && ev.Vm.Vm.Value == id || ev.Host != nil && ev.Host.Host.Value == id
}

func matchUser(s *types.EventFilterSpec, e *entry) bool {
	return s.UserName == nil || len(s.UserName.UserList) == 0 ||
		contains(s.UserName.UserList, e.event().GetEvent().UserName)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

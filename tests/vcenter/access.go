// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
)

// What the account may do on the root folder. Without System.Read there it has a role somewhere below, if at all, so
// vCenter answers every call but shows no event of an object; without System.View the calls that ask for it are refused,
// and so is Login. ReadNextEvents asks for no privilege: an open collector gives empty pages.
const (
	accessFull  int32 = iota
	accessBelow       // System.View
	accessNone
)

var accessNames = map[string]int32{"full": accessFull, "below": accessBelow, "none": accessNone}

// viewed are the calls that ask for System.View, and the object that their fault names.
var viewed = map[string]string{
	"Login":                    `<object type="Folder">group-d1</object>`,
	"CreateCollectorForEvents": `<object type="EventManager">EventManager</object>`,
	"QueryEvents":              `<object type="EventManager">EventManager</object>`,
	"HasPrivilegeOnEntities":   `<object type="Folder">group-d1</object>`,
}

// refuse answers what the account may not ask; false: it may.
func (f *front) refuse(w http.ResponseWriter, r *http.Request, method string, body []byte, next func() *answer) bool {
	access := atomic.LoadInt32(f.access)
	object, asks := viewed[method]
	switch {
	case access == accessNone && asks:
		writeFault(w, "NoPermission", "Permission to perform this operation was denied.",
			object+"<privilegeId>System.View</privilegeId>")
	case access == accessNone && method == "RetrievePropertiesEx" && bytes.Contains(body, []byte("EventManager")):
		missing(next(), "NoPermission", "System.View").send(w, r)
	case access == accessBelow && method == "HasPrivilegeOnEntities":
		a := next()
		told := strings.Replace(a.body.String(), "<privId>System.Read</privId><isGranted>true<",
			"<privId>System.Read</privId><isGranted>false<", -1)
		a.body = *bytes.NewBufferString(told)
		a.send(w, r)
	default:
		return false
	}
	return true
}

// privileges makes HasPrivilegeOnEntities answer what is not true; what the account sees stays as it is.
func privileges(is, told string) func(http.ResponseWriter, *http.Request, func() *answer, *fault) {
	return func(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
		a := next()
		a.body = *bytes.NewBuffer(bytes.ReplaceAll(a.body.Bytes(), []byte("<isGranted>"+is+"<"), []byte("<isGranted>"+told+"<")))
		a.send(w, r)
	}
}

// missing is a property collector's answer whose properties are all in its missingSet: HTTP 200, no fault.
func missing(a *answer, class, privilege string) *answer {
	text := a.body.String()
	from, to := strings.Index(text, "<propSet>"), strings.LastIndex(text, "</propSet>")
	if from < 0 {
		from = strings.Index(text, "</objects>")
		to = from
	} else {
		to += len("</propSet>")
	}
	if from < 0 {
		return a
	}
	a.body = *bytes.NewBufferString(text[:from] + `<missingSet><path>latestEvent</path><fault><fault ` +
		`xmlns:XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" XMLSchema-instance:type="` + class + `">` +
		`<object type="EventManager">EventManager</object><privilegeId>` + privilege +
		`</privilegeId></fault></fault></missingSet>` + text[to:])
	return a
}

// expired is what a dead session gets from the property collector.
func expired(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	missing(next(), "NotAuthenticated", "System.Read").send(w, r)
}

// ofObject: the event is about something in the inventory, so that a role there decides who sees it.
func (e *entry) ofObject() bool {
	ev := e.event().GetEvent()
	return ev.Vm != nil || ev.Host != nil || ev.ComputeResource != nil || ev.Datacenter != nil
}

// hides: the account may not see the event at this absolute index. The caller holds the log's lock.
func (l *eventLog) hides(abs int64, e *entry) bool {
	switch atomic.LoadInt32(&l.access) {
	case accessNone:
		return true
	case accessBelow:
		return e.ofObject() || l.hidden.hides(abs)
	}
	return l.hidden.hides(abs)
}

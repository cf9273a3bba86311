// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// A template makes synthetic events of one kind. It is encoded once, by govmomi, with marks in place
// of what varies, so that rendering an event is copying text.
type template struct {
	name  string
	build func(a args) types.BaseEvent
	class []string // see classes
	text  []string // the encoded event between the marks
	marks []int    // text[0] marks[0] text[1] marks[1] ...
}

// args is what varies between events of one template.
type args struct {
	key, chain                            int32
	t                                     time.Time
	vm, vmID, host, hostID, user, ip, pad string
}

func newArgs(e *entry) args {
	text := func(mark int) string { return string(e.text(nil, mark)) }
	return args{key: e.key, chain: e.key, t: e.time(), vm: text(3), vmID: text(4), host: text(5), hostID: text(6),
		user: text(7), ip: text(8), pad: text(9)}
}

// text appends what stands where the mark is.
func (e *entry) text(b []byte, mark int) []byte {
	n := int64(e.n)
	host := n % 64
	switch mark {
	case 0, 1: // key, chain
		return strconv.AppendInt(b, int64(e.key), 10)
	case 2:
		return e.time().AppendFormat(b, time.RFC3339Nano)
	case 3: // VM
		return zeros(append(b, "app-vm-"...), n, 5)
	case 4:
		return strconv.AppendInt(append(b, "vm-"...), 1000+n, 10)
	case 5: // host
		return append(zeros(append(b, "esx"...), host, 2), ".lab.example"...)
	case 6:
		return strconv.AppendInt(append(b, "host-"...), 20+host, 10)
	case 7: // user
		return strconv.AppendInt(append(b, `VSPHERE.LOCAL\user`...), n%97, 10)
	case 8: // address
		b = strconv.AppendInt(append(b, "10.20."...), host, 10)
		return strconv.AppendInt(append(b, '.'), n%250, 10)
	}
	for i := int32(0); i < e.padTo/16; i++ {
		b = append(b, "0123456789abcdef"...)
	}
	return b
}

// zeros appends n with at least width digits.
func zeros(b []byte, n int64, width int) []byte {
	digits := strconv.AppendInt(nil, n, 10)
	for i := len(digits); i < width; i++ {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// failures are of the category "error" in a vCenter, too.
var failures = map[string]bool{"VmFailedToPowerOnEvent": true, "HostConnectionLostEvent": true, "HostAddFailedEvent": true}

// describe adds to the simulator's EventDescription what it does not list; vCenter tells the id of an EventEx or
// ExtendedEvent in front of its text.
func describe(templates []*template) {
	description := &simulator.Map.EventManager().Description
	listed := map[string]bool{}
	for _, d := range description.EventInfo {
		listed[d.Key] = true
	}
	for _, t := range templates {
		d := types.EventDescriptionEventDetail{Key: t.class[0], Description: t.name, Category: "info", FullFormat: t.name}
		if failures[d.Key] {
			d.Category = "error"
		}
		if id := t.class[len(t.class)-1]; d.Key == "EventEx" || d.Key == "ExtendedEvent" {
			d.FullFormat = id + "|" + t.name
		} else if listed[d.Key] {
			continue
		}
		description.EventInfo = append(description.EventInfo, d)
	}
	described = description.EventInfo
}

// described is all that this vCenter describes; see describeOnly.
var described []types.EventDescriptionEventDetail

// describeOnly: from now on only the first n event classes are described; -1: all.
func describeOnly(n int) {
	manager := simulator.Map.EventManager()
	if n < 0 || n > len(described) {
		n = len(described)
	}
	simulator.Map.WithLock(manager, func() { manager.Description.EventInfo = described[:n] })
}

// The marks, in the order of entry.text; no other text of a template contains them.
const (
	markKey   = 1987654321
	markChain = 1987654322
	markTime  = "2001-02-03T04:05:06.789012Z"
)

var marks = []string{strconv.Itoa(markKey), strconv.Itoa(markChain), markTime,
	"@VM@", "@VMID@", "@HOST@", "@HOSTID@", "@USER@", "@IP@", "@PAD@"}

func newTemplate(name string, build func(a args) types.BaseEvent) *template {
	at, err := time.Parse(time.RFC3339Nano, markTime)
	if err != nil {
		panic(err)
	}
	t := &template{name: name, build: build}
	ev := build(args{key: markKey, chain: markChain, t: at, vm: "@VM@", vmID: "@VMID@", host: "@HOST@",
		hostID: "@HOSTID@", user: "@USER@", ip: "@IP@", pad: "@PAD@"})
	t.class = classes(ev)
	for s := string(encode(ev)); ; {
		at, which := len(s), -1
		for i, m := range marks {
			if p := strings.Index(s, m); p >= 0 && p < at {
				at, which = p, i
			}
		}
		t.text = append(t.text, s[:at])
		if which < 0 {
			return t
		}
		t.marks = append(t.marks, which)
		s = s[at+len(marks[which]):]
	}
}

func (t *template) render(b *bytes.Buffer, e *entry) {
	var scratch [64]byte
	for i, text := range t.text {
		b.WriteString(text)
		if i < len(t.marks) {
			b.Write(e.text(scratch[:0], t.marks[i]))
		}
	}
}

// classes: the concrete class and its bases, each plain and as vim.event.X, and an EventEx's or
// ExtendedEvent's type id; what eventTypeId of a filter may name.
func classes(ev types.BaseEvent) []string {
	var out []string
	for t := reflect.TypeOf(ev).Elem(); ; t = t.Field(0).Type {
		out = append(out, t.Name(), "vim.event."+t.Name())
		if t.NumField() == 0 || !t.Field(0).Anonymous || t.Name() == "Event" {
			break
		}
	}
	switch x := ev.(type) {
	case *types.EventEx:
		out = append(out, x.EventTypeId)
	case *types.ExtendedEvent:
		out = append(out, x.EventTypeId)
	}
	return out
}

// encode gives the <returnval> element of one event, as vCenter writes it: the xsi prefix is declared
// once, by the envelope.
func encode(ev types.BaseEvent) []byte {
	page := struct {
		XMLName xml.Name          `xml:"r"`
		Event   []types.BaseEvent `xml:"returnval,omitempty,typeattr"`
	}{Event: []types.BaseEvent{ev}}
	var b bytes.Buffer
	if err := xml.NewEncoder(&b).Encode(&page); err != nil {
		panic(err)
	}
	s := strings.TrimSuffix(strings.TrimPrefix(b.String(), "<r>"), "</r>")
	s = strings.Replace(s, `XMLSchema-instance:type`, `xsi:type`, -1)
	s = strings.Replace(s, ` xmlns:XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance"`, "", -1)
	return []byte(s)
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// A template makes synthetic events of one kind. It is encoded once, by govmomi, with marks in place
// of what varies, so that rendering an event is copying text: 290,000 events/s on one core.
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
	h := e.n % 64
	a := args{key: e.key, chain: e.key, t: e.time(),
		vm: fmt.Sprintf("app-vm-%05d", e.n), vmID: "vm-" + strconv.Itoa(int(1000+e.n)),
		host: fmt.Sprintf("esx%02d.lab.example", h), hostID: "host-" + strconv.Itoa(int(20+h)),
		user: `VSPHERE.LOCAL\user` + strconv.Itoa(int(e.n%97)), ip: fmt.Sprintf("10.20.%d.%d", h, e.n%250)}
	if e.padTo > 0 {
		a.pad = strings.Repeat("0123456789abcdef", int(e.padTo)/16)
	}
	return a
}

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
		if id := t.class[len(t.class)-1]; d.Key == "EventEx" || d.Key == "ExtendedEvent" {
			d.FullFormat = id + "|" + t.name
		} else if listed[d.Key] {
			continue
		}
		description.EventInfo = append(description.EventInfo, d)
	}
}

// The marks, in the order of args.fields; no other text of a template contains them.
const (
	markKey   = 1987654321
	markChain = 1987654322
	markTime  = "2001-02-03T04:05:06.789012Z"
)

var marks = []string{strconv.Itoa(markKey), strconv.Itoa(markChain), markTime,
	"@VM@", "@VMID@", "@HOST@", "@HOSTID@", "@USER@", "@IP@", "@PAD@"}

func (a *args) field(i int) string {
	switch i {
	case 0:
		return strconv.Itoa(int(a.key))
	case 1:
		return strconv.Itoa(int(a.chain))
	case 2:
		return a.t.Format(time.RFC3339Nano)
	}
	return [...]string{a.vm, a.vmID, a.host, a.hostID, a.user, a.ip, a.pad}[i-3]
}

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

func (t *template) render(b *bytes.Buffer, a args) {
	for i, text := range t.text {
		b.WriteString(text)
		if i < len(t.marks) {
			b.WriteString(a.field(t.marks[i]))
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

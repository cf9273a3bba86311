// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// odd makes events that no inventory makes: names of any length and script, an event id that an extension made up,
// more members than a class has.
func (c *control) odd(w http.ResponseWriter, r *http.Request) {
	t := newTemplate("odd", func(a args) types.BaseEvent {
		e := event(a, "odd")
		if name := r.FormValue("datacenter"); name != "" {
			e.Datacenter.Name = name
		}
		if name := r.FormValue("cluster"); name != "" {
			e.ComputeResource.Name = name
		}
		if id := r.FormValue("id"); id != "" {
			return &types.EventEx{Event: e, EventTypeId: id}
		}
		return &types.VmPoweredOnEvent{VmEvent: types.VmEvent{Event: e}}
	})
	var members strings.Builder
	for i := 0; i < int(number(r, "members", 0)); i++ {
		fmt.Fprintf(&members, "<q%d>1</q%d>", i, i)
	}
	last := len(t.text) - 1
	t.text[last] = strings.Replace(t.text[last], "</returnval>", members.String()+"</returnval>", 1)
	c.log.synth(int(number(r, "n", 1)), t, nil, 0)
}

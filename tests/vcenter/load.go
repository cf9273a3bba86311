// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand"
	"sync/atomic"
	"time"

	eventclient "github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// tap is a registry handler: it hears every event that the simulator's own EventManager posts to a
// collector of ours, so that inventory events land in the same log as the synthetic ones.
type tap struct {
	self, collector types.ManagedObjectReference
	log             *eventLog
}

func (t *tap) Reference() types.ManagedObjectReference   { return t.self }
func (t *tap) PutObject(mo.Reference)                    {}
func (t *tap) RemoveObject(types.ManagedObjectReference) {}
func (t *tap) UpdateObject(o mo.Reference, changes []types.PropertyChange) {
	if o.Reference() != t.collector {
		return
	}
	for _, c := range changes {
		if a, ok := c.Val.(*types.ArrayOfEvent); ok && len(a.Event) != 0 {
			t.log.add(a.Event[0])
		}
	}
}

// tell keeps latestEvent of manager and the latestPage of watched collectors up to date.
func (m *EventManager) tell(every time.Duration, manager mo.Reference) {
	var version int64
	for range time.Tick(every) {
		m.log.RLock()
		changed := m.log.version != version
		version = m.log.version
		var last types.BaseEvent
		if n := len(m.log.entries); changed && n > 0 {
			last = m.log.entries[n-1].event()
		}
		m.log.RUnlock()
		if last == nil {
			continue
		}
		simulator.Map.Update(manager, []types.PropertyChange{{Name: "latestEvent", Val: last}})
		for _, c := range m.watched() {
			page := c.latest()
			if len(page) == 0 || page[0].GetEvent().Key == c.told {
				continue
			}
			c.told = page[0].GetEvent().Key
			simulator.Map.Update(c, []types.PropertyChange{{Name: "latestPage", Val: page}})
		}
	}
}

// watched: the collectors whose properties somebody asked for lately.
func (m *EventManager) watched() []*Collector {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Collector
	for c := range m.open {
		if time.Now().Unix()-atomic.LoadInt64(&c.watched) < 120 {
			out = append(out, c)
		}
	}
	return out
}

// pump makes synthetic events at a steady rate, in thousandths of an event a second.
func pump(l *eventLog, rate *int64) {
	owed, previous := 0.0, time.Now()
	for now := range time.Tick(5 * time.Millisecond) {
		owed += now.Sub(previous).Seconds() * float64(atomic.LoadInt64(rate)) / 1000
		previous = now
		if n := int(owed); n > 0 {
			owed -= float64(n)
			l.synth(n, nil, nil, 0)
		}
	}
}

// operate works the inventory: power, reconfigure, rename, and events posted by a client.
func operate(c *vim25.Client, rate float64) {
	ctx := context.Background()
	vms := simulator.Map.All("VirtualMachine")
	poster := eventclient.NewManager(c)
	for i := 0; len(vms) > 0; i++ {
		time.Sleep(time.Duration(float64(time.Second) / rate))
		vm := object.NewVirtualMachine(c, vms[rand.Intn(len(vms))].Reference())
		var task *object.Task
		var err error
		switch i % 6 {
		case 0:
			task, err = vm.PowerOff(ctx)
		case 1:
			task, err = vm.PowerOn(ctx)
		case 2:
			task, err = vm.Reconfigure(ctx, types.VirtualMachineConfigSpec{Annotation: fmt.Sprint("note ", i)})
		case 3:
			task, err = vm.Suspend(ctx)
		case 4:
			task, err = vm.Rename(ctx, fmt.Sprintf("renamed-%d", i))
		case 5:
			err = poster.PostEvent(ctx, &types.EventEx{EventTypeId: "com.vmware.lab.posted", Severity: "info",
				Event: types.Event{FullFormattedMessage: fmt.Sprint("posted ", i)}, ObjectType: "VirtualMachine",
				ObjectId: vm.Reference().Value})
		}
		if err == nil && task != nil {
			_ = task.Wait(ctx) // an operation the power state does not allow is an event too
		}
	}
}

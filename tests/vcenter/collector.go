// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// EventManager stands in for the simulator's own for the calls that read events.
type EventManager struct {
	mo.EventManager
	log   *eventLog
	rules collectorRules
	mu    sync.Mutex
	open  map[*Collector]bool
	pages int64 // ReadNextEvents answered
	sent  int64 // events in them
}

type collectorRules struct {
	max      int  // collectors a session may have
	byTime   bool // scroll by createdTime, not by key
	skipLate bool // an open collector never shows an event older than the last it showed
}

// Collector is an EventHistoryCollector as vCenter's: oldest first, grows, position on the server.
type Collector struct {
	mo.EventHistoryCollector
	manager *EventManager
	session *simulator.Session
	spec    *types.EventFilterSpec
	size    int
	epoch   int
	pos     int64   // absolute index of the next event to read forward
	order   []int64 // byTime: absolute indexes in scroll order, as of the last rewind
	first   int64   // the absolute index order[0] stands for
	newest  int64   // skipLate: the newest createdTime shown
	born    int64   // skipLate: what was there at the last rewind is always shown
	dead    int32   // every call answers InvalidState
	watched int64   // unix time of the last look at its properties
	told    int32   // key of the newest event told to watchers
}

func pageSize(n int32) (int, *soap.Fault) {
	if n == 0 {
		return 10, nil
	}
	return int(n), pageFault(n)
}

func pageFault(n int32) *soap.Fault {
	if n <= 0 || n > 1000 {
		return simulator.Fault("A specified parameter was not correct: maxCount",
			&types.InvalidArgument{InvalidProperty: "maxCount"})
	}
	return nil
}

func invalidState() *soap.Fault {
	return simulator.Fault("The operation is not allowed in the current state.", new(types.InvalidState))
}

func (m *EventManager) CreateCollectorForEvents(ctx *simulator.Context, req *types.CreateCollectorForEvents) soap.HasFault {
	body := new(methods.CreateCollectorForEventsBody)
	c := &Collector{manager: m, session: ctx.Session, spec: &req.Filter}
	if c.size, body.Fault_ = pageSize(req.Filter.MaxCount); body.Fault_ != nil {
		return body
	}
	c.Filter = req.Filter
	c.Self.Type = "EventHistoryCollector"
	c.rewind()
	m.mu.Lock()
	defer m.mu.Unlock()
	mine := 0
	for other := range m.open {
		if other.session.Key == ctx.Session.Key {
			mine++
		}
	}
	if mine >= m.rules.max {
		body.Fault_ = invalidState()
		return body
	}
	body.Res = &types.CreateCollectorForEventsResponse{Returnval: ctx.Session.Put(c).Reference()}
	m.open[c] = true
	return body
}

func (m *EventManager) QueryEvents(ctx *simulator.Context, req *types.QueryEvents) soap.HasFault {
	n := req.Filter.MaxCount
	if n == 0 {
		n = 1000
	}
	if f := pageFault(n); f != nil {
		return &methods.QueryEventsBody{Fault_: f}
	}
	c := &Collector{manager: m, size: int(n), spec: &req.Filter}
	events := c.latest()
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return &methods.QueryEventsBody{Res: &types.QueryEventsResponse{Returnval: events}}
}

func (m *EventManager) LogUserEvent(ctx *simulator.Context, req *types.LogUserEvent) soap.HasFault {
	m.log.add(&types.GeneralUserEvent{
		GeneralEvent: types.GeneralEvent{Message: req.Msg, Event: types.Event{CreatedTime: time.Now(),
			UserName: ctx.Session.UserName, FullFormattedMessage: "User logged event: " + req.Msg}},
		Entity: &types.ManagedEntityEventArgument{EntityEventArgument: named(req.Entity.Value), Entity: req.Entity}})
	return &methods.LogUserEventBody{Res: new(types.LogUserEventResponse)}
}

// forget ends all collectors: "gone" makes them ManagedObjectNotFound, "dead" InvalidState.
func (m *EventManager) forget(gone bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.open)
	for c := range m.open {
		if gone {
			c.session.Remove(c.Self)
			delete(m.open, c)
		} else {
			atomic.StoreInt32(&c.dead, 1)
		}
	}
	return n
}

// count is how many collectors these sessions have; those of ended sessions are forgotten.
func (m *EventManager) count(sessions []types.UserSession) int {
	alive := map[string]bool{}
	for _, s := range sessions {
		alive[s.Key] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.open {
		if !alive[c.session.Key] {
			delete(m.open, c)
		}
	}
	return len(m.open)
}

func (c *Collector) rewind() {
	l := c.manager.log
	l.RLock()
	defer l.RUnlock()
	c.epoch, c.pos, c.first, c.order = l.epoch, l.base, l.base, nil
	c.born = l.base + int64(len(l.entries))
	if !c.manager.rules.byTime {
		return
	}
	for i := range l.entries {
		c.order = append(c.order, int64(i)+l.base)
	}
	sort.SliceStable(c.order, func(a, b int) bool {
		return l.entries[c.order[a]-l.base].micros < l.entries[c.order[b]-l.base].micros
	})
}

// at gives the event at scroll position i and its absolute index; nil when it was purged.
func (c *Collector) at(i int64) (*entry, int64) {
	if n := i - c.first; n < int64(len(c.order)) {
		i = c.order[n]
	}
	l := c.manager.log
	if i < l.base {
		return nil, i
	}
	return &l.entries[i-l.base], i
}

// latest: the newest size matching events, newest first (the API promises no order).
func (c *Collector) latest() []types.BaseEvent {
	l := c.manager.log
	l.RLock()
	defer l.RUnlock()
	var out []types.BaseEvent
	for i := len(l.entries) - 1; i >= 0 && len(out) < c.size; i-- {
		if !l.hides(int64(i)+l.base, &l.entries[i]) && c.match(&l.entries[i]) {
			out = append(out, l.entries[i].event())
		}
	}
	return out
}

// Get is what a PropertyCollector calls for the object's properties.
func (c *Collector) Get() mo.Reference {
	atomic.StoreInt64(&c.watched, time.Now().Unix())
	view := new(Collector)
	view.EventHistoryCollector = c.EventHistoryCollector
	view.LatestPage = c.latest()
	return view
}

// The response types carry ready XML, so a page costs no reflection.
type ReadNextEventsResponse struct {
	Page string `xml:",innerxml"`
}
type ReadPreviousEventsResponse struct {
	Page string `xml:",innerxml"`
}
type nextBody struct {
	Res    *ReadNextEventsResponse
	Fault_ *soap.Fault
}
type previousBody struct {
	Res    *ReadPreviousEventsResponse
	Fault_ *soap.Fault
}

func (b *nextBody) Fault() *soap.Fault     { return b.Fault_ }
func (b *previousBody) Fault() *soap.Fault { return b.Fault_ }

// refuses tells why a read cannot be served.
func (c *Collector) refuses(maxCount int32) *soap.Fault {
	if atomic.LoadInt32(&c.dead) != 0 {
		return invalidState()
	}
	return pageFault(maxCount)
}

func (c *Collector) ReadNextEvents(ctx *simulator.Context, req *types.ReadNextEvents) soap.HasFault {
	if f := c.refuses(req.MaxCount); f != nil {
		return &nextBody{Fault_: f}
	}
	page, shown, used, end := c.scroll(int(req.MaxCount))
	if shown > 0 || used == 0 || !c.manager.log.hidden.stuck {
		c.pos = end
	}
	atomic.AddInt64(&c.manager.pages, 1)
	atomic.AddInt64(&c.manager.sent, int64(shown))
	return &nextBody{Res: &ReadNextEventsResponse{Page: page}}
}

// scroll reads forward: what the user may not see uses up the page all the same (govmomi issue 3450).
func (c *Collector) scroll(max int) (page string, shown, used int, end int64) {
	var b bytes.Buffer
	l := c.manager.log
	l.RLock()
	defer l.RUnlock()
	if c.epoch != l.epoch {
		c.epoch, c.pos, c.first, c.order, c.newest, c.born = l.epoch, l.base, l.base, nil, 0, 0
	}
	if c.pos < l.base {
		c.pos = l.base
	}
	end = c.pos
	for length := l.base + int64(len(l.entries)); end < length && used < max; {
		e, abs := c.at(end)
		end++
		if e == nil || !c.match(e) || c.manager.rules.skipLate && abs >= c.born && e.micros < c.newest {
			continue
		}
		if e.micros > c.newest {
			c.newest = e.micros
		}
		used++
		if !l.hides(abs, e) {
			e.write(&b)
			shown++
		}
	}
	return b.String(), shown, used, end
}

func (c *Collector) ReadPreviousEvents(ctx *simulator.Context, req *types.ReadPreviousEvents) soap.HasFault {
	if f := c.refuses(req.MaxCount); f != nil {
		return &previousBody{Fault_: f}
	}
	var b bytes.Buffer
	l := c.manager.log
	l.RLock()
	defer l.RUnlock()
	for shown := 0; c.pos > l.base && shown < int(req.MaxCount); {
		c.pos--
		if e, abs := c.at(c.pos); e != nil && c.match(e) && !l.hides(abs, e) {
			e.write(&b)
			shown++
		}
	}
	return &previousBody{Res: &ReadPreviousEventsResponse{Page: b.String()}}
}

func (c *Collector) RewindCollector(ctx *simulator.Context, req *types.RewindCollector) soap.HasFault {
	c.rewind()
	return &methods.RewindCollectorBody{Res: new(types.RewindCollectorResponse)}
}

// ResetCollector goes to just before the latest page.
func (c *Collector) ResetCollector(ctx *simulator.Context, req *types.ResetCollector) soap.HasFault {
	l := c.manager.log
	l.RLock()
	defer l.RUnlock()
	i := len(l.entries)
	for n := 0; i > 0 && n < c.size; {
		i--
		if c.match(&l.entries[i]) {
			n++
		}
	}
	c.pos = l.base + int64(i)
	return &methods.ResetCollectorBody{Res: new(types.ResetCollectorResponse)}
}

func (c *Collector) SetCollectorPageSize(ctx *simulator.Context, req *types.SetCollectorPageSize) soap.HasFault {
	n, f := pageSize(req.MaxCount)
	if f != nil {
		return &methods.SetCollectorPageSizeBody{Fault_: f}
	}
	c.size = n
	return &methods.SetCollectorPageSizeBody{Res: new(types.SetCollectorPageSizeResponse)}
}

func (c *Collector) DestroyCollector(ctx *simulator.Context, req *types.DestroyCollector) soap.HasFault {
	c.manager.mu.Lock()
	delete(c.manager.open, c)
	c.manager.mu.Unlock()
	ctx.Session.Remove(req.This)
	return &methods.DestroyCollectorBody{Res: new(types.DestroyCollectorResponse)}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// An entry is one event of the log. Synthetic ones are 40 bytes: template, key, time and the number
// that picks the names in it; real ones (from the simulator's inventory) keep the event itself.
type entry struct {
	micros int64
	key, n int32
	tmpl   *template
	real   *realEvent
	padTo  int32 // a synthetic event's message is padded to this many bytes
}

type realEvent struct {
	event types.BaseEvent
	xml   []byte
	class []string
}

// eventLog is the vCenter's event table: append-only but for what retention, a re-created or a
// restored database take away. An absolute index is an entry's number since the log began.
type eventLog struct {
	sync.RWMutex
	entries []entry
	base    int64 // absolute index of entries[0]
	next    int64 // next key, before it is cut to int32: it wraps as vCenter's does
	epoch   int   // counts databases: re-created, restored
	version int64 // changes with every change of the log
	gone    []entry
	shape   logShape
	offset  time.Duration // this vCenter's clock less the machine's
	rng     *rand.Rand
	pick    []*template
	hidden  hiding
	access  int32 // of the account, see access.go
}

// logShape is how untidy new synthetic events are.
type logShape struct {
	late   float64       // share with a createdTime in the past
	lateBy time.Duration // at most this far
	tie    int           // this many in a row share one createdTime
	gap    float64       // chance that keys are skipped
}

// hiding makes run consecutive events of every `every` invisible to the user.
type hiding struct {
	run, every int64
	stuck      bool // a page of only invisible events does not move the position
}

func (h *hiding) hides(abs int64) bool { return h.every > 0 && abs%h.every < h.run }

func newEventLog(seed, firstKey int64, pick []*template) *eventLog {
	return &eventLog{next: firstKey, pick: pick, rng: rand.New(rand.NewSource(seed)), shape: logShape{tie: 1}}
}

// now is the time by this vCenter's clock.
func (l *eventLog) now() time.Time {
	l.RLock()
	defer l.RUnlock()
	return l.clockNow()
}

// clockNow is now for those who hold the lock.
func (l *eventLog) clockNow() time.Time { return time.Now().Add(l.offset) }

func (l *eventLog) takeKey() int32 {
	k := int32(l.next)
	l.next++
	if l.shape.gap > 0 && l.rng.Float64() < l.shape.gap {
		l.next += 1 + l.rng.Int63n(5)
	}
	return k
}

// synth appends n synthetic events; t nil: any template; at gives the time of each, nil: now.
func (l *eventLog) synth(n int, t *template, at func(i int) time.Time, padTo int) {
	l.Lock()
	defer l.Unlock()
	var when time.Time
	for i := 0; i < n; i++ {
		switch {
		case i%l.shape.tie != 0: // the one before it
		case at != nil:
			when = at(i)
		default:
			when = l.clockNow()
		}
		created := when
		if l.shape.late > 0 && l.rng.Float64() < l.shape.late {
			created = created.Add(-time.Duration(l.rng.Int63n(int64(l.shape.lateBy))))
		}
		tmpl := t
		if tmpl == nil {
			tmpl = l.pick[l.rng.Intn(len(l.pick))]
		}
		l.entries = append(l.entries, entry{micros: created.UnixNano() / 1000, key: l.takeKey(),
			n: l.rng.Int31n(5000), tmpl: tmpl, padTo: int32(padTo)})
	}
	l.version++
}

// add appends an event that happened in the simulator's inventory.
func (l *eventLog) add(ev types.BaseEvent) {
	l.Lock()
	defer l.Unlock()
	e := ev.GetEvent()
	e.Key = l.takeKey()
	e.ChainId = e.Key
	e.CreatedTime = e.CreatedTime.Add(l.offset).UTC().Truncate(time.Microsecond)
	l.entries = append(l.entries, entry{key: e.Key, micros: e.CreatedTime.UnixNano() / 1000,
		real: &realEvent{event: ev, xml: encode(ev), class: classes(ev)}})
	l.version++
}

// drop takes entries[from:to) away and remembers them as gone. The caller holds the lock.
func (l *eventLog) drop(from, to int) {
	l.gone = append(l.gone, l.entries[from:to]...)
	if from == 0 {
		l.base += int64(to)
	}
	rest := append([]entry{}, l.entries[:from]...)
	l.entries = append(rest, l.entries[to:]...)
	l.version++
}

// purge is retention: only the newest keep events stay.
func (l *eventLog) purge(keep int) {
	l.Lock()
	defer l.Unlock()
	if n := len(l.entries) - keep; n > 0 {
		l.drop(0, n)
	}
}

// reinit is a re-created database: empty, keys from firstKey.
func (l *eventLog) reinit(firstKey int64) {
	l.Lock()
	defer l.Unlock()
	l.drop(0, len(l.entries))
	l.base, l.next = 0, firstKey
	l.epoch++
}

// restore is a database from a backup: the newest n events never were, their keys come again.
func (l *eventLog) restore(n int) {
	l.Lock()
	defer l.Unlock()
	if n <= 0 || n > len(l.entries) {
		n = len(l.entries)
	}
	first := len(l.entries) - n
	if n > 0 {
		l.next = int64(l.entries[first].key)
	}
	base := l.base
	l.drop(first, len(l.entries))
	l.base = base
	l.epoch++
}

// truth is what the log holds (or, with ever, ever held): "key createdTime class visible|hidden" lines.
func (l *eventLog) truth(ever bool) []byte {
	l.RLock()
	defer l.RUnlock()
	var b bytes.Buffer
	line := func(e *entry, state string) {
		fmt.Fprintf(&b, "%d %s %s %s\n", e.key, e.time().Format(time.RFC3339Nano), e.classes()[0], state)
	}
	if ever {
		for i := range l.gone {
			line(&l.gone[i], "gone")
		}
	}
	for i := range l.entries {
		state := "visible"
		if l.hides(int64(i)+l.base, &l.entries[i]) {
			state = "hidden"
		}
		line(&l.entries[i], state)
	}
	return b.Bytes()
}

// slice copies up to n entries from index `from` of those still held.
func (l *eventLog) slice(from, n int) []entry {
	l.RLock()
	defer l.RUnlock()
	if from < 0 || from > len(l.entries) {
		from = len(l.entries)
	}
	if n < 0 || n > len(l.entries)-from {
		n = len(l.entries) - from
	}
	return append([]entry{}, l.entries[from:from+n]...)
}

func (e *entry) time() time.Time { return time.Unix(e.micros/1e6, e.micros%1e6*1000).UTC() }

func (e *entry) event() types.BaseEvent {
	if e.real != nil {
		return e.real.event
	}
	return e.tmpl.build(newArgs(e))
}

func (e *entry) write(b *bytes.Buffer) {
	if e.real != nil {
		b.Write(e.real.xml)
		return
	}
	e.tmpl.render(b, e)
}

func (e *entry) classes() []string {
	if e.real != nil {
		return e.real.class
	}
	return e.tmpl.class
}

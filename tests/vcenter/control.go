// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// control is what tests steer the simulator with: GET /lab/..., no login. README.md lists the calls.
type control struct {
	log       *eventLog
	manager   *EventManager
	front     *front
	client    *vim25.Client // in memory, a session of its own
	service   *simulator.Service
	templates []*template
	rate      *int64
}

func (c *control) routes() http.Handler {
	mux := http.NewServeMux()
	for path, handler := range map[string]http.HandlerFunc{
		"burst": c.burst, "odd": c.odd, "rate": c.setRate, "shape": c.setShape, "hide": c.hide, "clock": c.clock, "key": c.key,
		"purge": c.purge, "reinit": c.reinit, "restore": c.restore,
		"fault": c.fault, "clear": c.clear, "expire": c.expire, "password": c.password, "access": c.setAccess,
		"describe": c.describe,
		"versions": c.setVersions, "stats": c.stats, "keys": c.keys, "json": c.json, "templates": c.list,
	} {
		mux.HandleFunc("/lab/"+path, handler)
	}
	return mux
}

func number(r *http.Request, name string, missing float64) float64 {
	if v, err := strconv.ParseFloat(r.FormValue(name), 64); err == nil {
		return v
	}
	return missing
}

func span(r *http.Request, name string) time.Duration {
	d, _ := time.ParseDuration(r.FormValue(name))
	return d
}

func find(templates []*template, name string) *template {
	for _, t := range templates {
		if t.name == name {
			return t
		}
	}
	return nil
}

func (c *control) burst(w http.ResponseWriter, r *http.Request) {
	t := find(c.templates, r.FormValue("tmpl"))
	if t == nil && r.FormValue("tmpl") != "" {
		http.Error(w, "no such template", http.StatusNotFound)
		return
	}
	var at func(int) time.Time
	if off := span(r, "off"); off != 0 { // by the clock of a host, which is off by so much
		at = func(int) time.Time { return c.log.clockNow().Add(off) }
	}
	c.log.synth(int(number(r, "n", 1000)), t, at, int(number(r, "pad", 0)))
}

func (c *control) setRate(w http.ResponseWriter, r *http.Request) {
	atomic.StoreInt64(c.rate, int64(number(r, "r", 0)*1000))
}

func (c *control) setShape(w http.ResponseWriter, r *http.Request) {
	s := logShape{late: number(r, "late", 0), lateBy: span(r, "by"), tie: int(number(r, "tie", 1)), gap: number(r, "gap", 0)}
	if s.tie < 1 || s.late > 0 && s.lateBy <= 0 {
		http.Error(w, "tie is at least 1; late needs by", http.StatusBadRequest)
		return
	}
	c.log.Lock()
	c.log.shape = s
	c.log.Unlock()
}

func (c *control) hide(w http.ResponseWriter, r *http.Request) {
	c.log.Lock()
	c.log.hidden = hiding{run: int64(number(r, "run", 0)), every: int64(number(r, "every", 0)), stuck: r.FormValue("stuck") == "1"}
	c.log.Unlock()
}

func (c *control) clock(w http.ResponseWriter, r *http.Request) {
	c.log.Lock()
	c.log.offset = span(r, "offset")
	c.log.Unlock()
}

func (c *control) key(w http.ResponseWriter, r *http.Request) {
	c.log.Lock()
	c.log.next = int64(number(r, "next", 1))
	c.log.Unlock()
}

func (c *control) purge(w http.ResponseWriter, r *http.Request) {
	c.log.purge(int(number(r, "keep", 0)))
}

func (c *control) reinit(w http.ResponseWriter, r *http.Request) {
	c.log.reinit(int64(number(r, "key", 1)))
}

// restore: a vCenter comes back from a backup, so its sessions are gone too.
func (c *control) restore(w http.ResponseWriter, r *http.Request) {
	c.log.restore(int(number(r, "drop", 0)))
	c.manager.forget(true)
	c.endSessions(w)
}

func (c *control) fault(w http.ResponseWriter, r *http.Request) {
	x := &fault{kind: r.FormValue("kind"), method: r.FormValue("method"), left: int(number(r, "n", 1)), ms: int(number(r, "ms", 0)),
		key: r.FormValue("key"), at: int(number(r, "at", 0))}
	x.hostile = hostileText(r.FormValue("open"), r.FormValue("unit"), r.FormValue("close"), int(number(r, "size", 0)))
	if !c.front.inject(x) {
		http.Error(w, "no such fault", http.StatusNotFound)
	}
}

func (c *control) clear(w http.ResponseWriter, r *http.Request) { c.front.clear() }

// expire ends what a client holds: its sessions, or only its collectors, in either way they die.
func (c *control) expire(w http.ResponseWriter, r *http.Request) {
	switch r.FormValue("what") {
	case "", "sessions":
		c.endSessions(w)
	case "collectors":
		fmt.Fprintln(w, c.manager.forget(true))
	case "state":
		fmt.Fprintln(w, c.manager.forget(false))
	default:
		http.Error(w, "what: sessions, collectors or state", http.StatusBadRequest)
	}
}

// password changes what the next Login must say; sessions go on, as in vCenter.
func (c *control) password(w http.ResponseWriter, r *http.Request) {
	c.service.Listen.User = url.UserPassword(c.service.Listen.User.Username(), r.FormValue("new"))
}

// setAccess: what the account may do on the root folder, from now on; its session goes on.
func (c *control) setAccess(w http.ResponseWriter, r *http.Request) {
	level, ok := accessNames[r.FormValue("root")]
	if !ok {
		http.Error(w, "root: full, below or none", http.StatusBadRequest)
		return
	}
	atomic.StoreInt32(&c.log.access, level)
}

func (c *control) describe(w http.ResponseWriter, r *http.Request) {
	describeOnly(int(number(r, "n", -1)))
}

func (c *control) sessions() ([]types.UserSession, error) {
	var sm mo.SessionManager
	self := *c.client.ServiceContent.SessionManager
	err := property.DefaultCollector(c.client).RetrieveOne(context.Background(), self, []string{"sessionList"}, &sm)
	return sm.SessionList, err
}

func (c *control) endSessions(w http.ResponseWriter) {
	list, err := c.sessions()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	ended := 0
	for _, s := range list {
		req := types.TerminateSession{This: *c.client.ServiceContent.SessionManager, SessionId: []string{s.Key}}
		if _, err := methods.TerminateSession(context.Background(), c.client, &req); err == nil {
			ended++
		}
	}
	fmt.Fprintln(w, ended)
}

func (c *control) stats(w http.ResponseWriter, r *http.Request) {
	list, _ := c.sessions()
	open := c.manager.count(list)
	c.front.mu.Lock()
	calls := map[string]int{}
	for method, n := range c.front.calls {
		calls[method] = n
	}
	pending, peers := len(c.front.faults), len(c.front.peers)
	c.front.mu.Unlock()
	asked := []string{}
	c.front.versions.Lock()
	for version := range c.front.versions.asked {
		asked = append(asked, version)
	}
	c.front.versions.Unlock()
	c.log.RLock()
	defer c.log.RUnlock()
	m := map[string]interface{}{"events": len(c.log.entries), "purged": c.log.base, "epoch": c.log.epoch,
		"pages": atomic.LoadInt64(&c.manager.pages), "served": atomic.LoadInt64(&c.manager.sent),
		"sessions": len(list), "collectors": open, "calls": calls, "faults": pending,
		"connections": peers, "versions": asked,
		"zipped": atomic.LoadInt64(&zipped)}
	if n := len(c.log.entries); n > 0 {
		m["firstKey"], m["lastKey"] = c.log.entries[0].key, c.log.entries[n-1].key
	}
	_ = json.NewEncoder(w).Encode(m)
}

func (c *control) keys(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write(c.log.truth(r.FormValue("ever") == "1"))
}

func (c *control) json(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	for _, e := range c.log.slice(int(number(r, "from", 0)), int(number(r, "n", -1))) {
		if err := writeJSON(&b, e.event(), r.FormValue("form") == "vi"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	_, _ = w.Write(b.Bytes())
}

func (c *control) list(w http.ResponseWriter, r *http.Request) {
	for _, t := range c.templates {
		fmt.Fprintln(w, t.name)
	}
}

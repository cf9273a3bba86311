// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
)

// An endpoint is one vCenter: a port, an event log, faults and a count of calls of its own. All endpoints of a process
// share the inventory, the sessions and the account of govmomi's simulator, of which a process can have one.
type endpoint struct {
	log     *eventLog
	manager *EventManager
	front   *front
	rate    int64
}

// numbered is the name of the n-th endpoint's object.
func numbered(name string, n int) string {
	if n == 0 {
		return name
	}
	return fmt.Sprint(name, "-", n)
}

// newEndpoint makes the n-th endpoint, with its backlog.
func newEndpoint(n int, o *options, pick []*template) *endpoint {
	e := &endpoint{log: newEventLog(o.seed+int64(n), o.firstKey, pick), rate: int64(o.rate * 1000)}
	e.log.shape, e.log.hidden = o.shape, o.hidden
	begin, step := time.Now().Add(-o.span), float64(o.span)/float64(o.backlog+1)
	e.log.synth(o.backlog, nil, func(i int) time.Time { return begin.Add(time.Duration(float64(i) * step)) }, 0)
	return e
}

// install puts the endpoint's managed objects beside the simulator's.
func (e *endpoint) install(n int, o *options) {
	e.manager = &EventManager{log: e.log, open: map[*Collector]bool{},
		rules: collectorRules{max: o.collectors, byTime: o.byTime, skipLate: o.skipLate}}
	e.manager.Self = ref("EventManager", numbered(managerName, n))
	simulator.Map.Put(e.manager)
	clock := &Clock{log: e.log}
	clock.Self = ref("ServiceInstance", numbered(clockName, n))
	simulator.Map.Put(clock)
}

// start makes the front, and has the log grow and be told.
func (e *endpoint) start(n int, o *options, soap http.Handler, client *vim25.Client, m *simulator.Model) {
	e.front = &front{soap: soap, number: n, calls: map[string]int{}, access: &e.log.access, peers: map[string]bool{}}
	e.front.versions.set("", true)
	e.front.control = (&control{log: e.log, manager: e.manager, front: e.front, client: client, service: m.Service,
		templates: o.known, rate: &e.rate}).routes()
	var told mo.Reference = e.manager
	if n == 0 {
		told = simulator.Map.EventManager()
	}
	go e.manager.tell(o.notify, told)
	go pump(e.log, &e.rate)
}

// listen serves the endpoint on a port of its own, and gives its URL.
func (e *endpoint) listen(host string, config *tls.Config) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	scheme, address := "http", l.Addr().String()
	if config != nil {
		scheme, l = "https", tls.NewListener(l, config)
	}
	go func() { _ = (&http.Server{Handler: e.front}).Serve(l) }()
	return scheme + "://" + address + "/sdk", nil
}

// swap sends a call to the objects of this endpoint.
func (f *front) swap(method string, body []byte) []byte {
	switch {
	case method == "CurrentTime":
		return bytes.Replace(body, []byte(">ServiceInstance</"), []byte(">"+numbered(clockName, f.number)+"</"), 1)
	case method == "CreateCollectorForEvents" || method == "QueryEvents" || method == "LogUserEvent" ||
		f.number != 0 && method == "RetrievePropertiesEx" && bytes.Contains(body, []byte(">latestEvent<")):
		return bytes.Replace(body, []byte(">EventManager</"), []byte(">"+numbered(managerName, f.number)+"</"), 1)
	}
	return body
}

var instanceUUID = regexp.MustCompile(`(<instanceUuid>[^<]*)[^<]{4}(</instanceUuid>)`)

// identify gives each endpoint an instanceUuid of its own.
func (f *front) identify(a *answer) {
	if f.number == 0 {
		return
	}
	own := fmt.Sprintf("${1}%04x${2}", f.number)
	a.body = *bytes.NewBuffer(instanceUUID.ReplaceAll(a.body.Bytes(), []byte(own)))
}

// rest starts the endpoints behind the first and gives the URLs of all.
func rest(all []*endpoint, o *options, server *simulator.Server, client *vim25.Client, m *simulator.Model) []string {
	urls := []string{server.URL.Scheme + "://" + server.URL.Host + "/sdk"}
	for n, e := range all[1:] {
		e.start(n+1, o, all[0].front.soap, client, m)
		url, err := e.listen(server.URL.Hostname(), server.TLS)
		if err != nil {
			fail(err)
		}
		urls = append(urls, url)
	}
	return urls
}

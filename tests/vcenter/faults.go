// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/ioutil"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// front is the HTTP face: it counts calls, sends those that are ours to our managed objects, and
// injects what networks, proxies and vCenters do to a client.
type front struct {
	soap    http.Handler // the simulator
	number  int          // of the endpoint, from 0
	control http.Handler
	mu      sync.Mutex
	faults  []*fault
	calls   map[string]int  // by method
	access  *int32          // of the account, see access.go
	peers   map[string]bool // addresses of the connections that calls came over

	versions versions // of the API, see versions.go
}

// A fault befalls the next `left` calls (all, when negative) of a method (any, when ""); with a key only those replies
// that have the event with this key.
type fault struct {
	kind, method string
	left, ms     int
	key          string
	at           int    // cut, truncated: so many bytes behind the event's key; without a key half way
	hostile      []byte // what the event has behind its createdTime, see hostile.go
}

// The kinds of faults, see README.md. Each writes the whole answer; next gives the real one.
var kinds = map[string]func(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault){
	"cut":          cut,
	"truncated":    truncated,
	"trickle":      trickle,
	"reset":        reset,
	"silent":       silent,
	"slow":         slow,
	"html":         html,
	"garbage":      garbage,
	"flood":        flood,
	"control":      poison("&#11;\x0b"),
	"utf8":         poison("\xff\xfe"),
	"tags":         poison("</userName><"),
	"entities":     entities,
	"missing":      expired,
	"hostile":      hostile,
	"nokey":        noKey,
	"notauth":      soapFault("NotAuthenticated", "The session is not authenticated."),
	"notfound":     soapFault("ManagedObjectNotFound", "The object has already been deleted or has not been completely created"),
	"granted":      privileges("false", "true"),
	"denied":       privileges("true", "false"),
	"invalidstate": soapFault("InvalidState", "The operation is not allowed in the current state."),
	"runtime":      soapFault("RuntimeFault", "A general system error occurred: database busy"),
}

// inject adds a fault; a kind that is a number answers that HTTP status. False: no such kind.
func (f *front) inject(x *fault) bool {
	if _, ok := kinds[x.kind]; !ok {
		if n, err := strconv.Atoi(x.kind); err != nil || n < 300 || n > 599 {
			return false
		}
	}
	f.mu.Lock()
	f.faults = append(f.faults, x)
	f.mu.Unlock()
	return true
}

func (f *front) clear() {
	f.mu.Lock()
	f.faults = nil
	f.mu.Unlock()
}

// take counts the call and says what befalls it.
func (f *front) take(method, peer string) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.peers[peer] = true
	f.calls[method]++
	return f.meet(func(x *fault) bool { return x.key == "" && (x.method == "" || x.method == method) })
}

// meet gives the first fault that fits, and counts it; f is locked.
func (f *front) meet(fits func(x *fault) bool) *fault {
	for i, x := range f.faults {
		if !fits(x) {
			continue
		}
		if x.left--; x.left == 0 {
			f.faults = append(f.faults[:i:i], f.faults[i+1:]...)
		}
		return x
	}
	return nil
}

// takeEvent is take for the events of a reply.
func (f *front) takeEvent(method string, a *answer) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.meet(func(x *fault) bool {
		return x.key != "" && (x.method == "" || x.method == method) && a.event(x.key) >= 0
	})
}

var methodName = regexp.MustCompile(`Body[^>]*>\s*<(?:\w+:)?(\w+)`)

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/lab/") {
		f.control.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == versionFile {
		f.serveVersions(w, r)
		return
	}
	if r.Method != http.MethodPost {
		f.soap.ServeHTTP(w, r)
		return
	}
	body, err := ioutil.ReadAll(r.Body)
	if err != nil {
		return
	}
	method := ""
	if m := methodName.FindSubmatch(body); m != nil {
		method = string(m[1])
	}
	body = f.swap(method, body)
	r.Body = ioutil.NopCloser(bytes.NewReader(body))
	next := func() *answer {
		a := &answer{header: http.Header{}, code: http.StatusOK}
		f.soap.ServeHTTP(a, r)
		if method == "RetrieveServiceContent" {
			f.versions.own(a)
			f.identify(a)
		}
		return a
	}
	x := f.take(method, r.RemoteAddr)
	if x == nil && (f.versions.refuse(w, r) || f.refuse(w, r, method, body, next)) {
		return
	}
	if x == nil {
		a := next()
		if x = f.takeEvent(method, a); x == nil {
			a.send(w, r)
			return
		}
		next = func() *answer { return a }
	}
	if do, ok := kinds[x.kind]; ok {
		do(w, r, next, x)
	} else {
		code, _ := strconv.Atoi(x.kind)
		http.Error(w, "simulated "+x.kind, code)
	}
}

// An answer is a whole reply, kept so that it can be mistreated.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// zips: a gzip.Writer is a megabyte of tables, so each serves many replies.
var zips = sync.Pool{New: func() interface{} {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

var zipped int64 // replies

func (a *answer) send(w http.ResponseWriter, r *http.Request) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(a.code)
		atomic.AddInt64(&zipped, 1)
		z := zips.Get().(*gzip.Writer)
		z.Reset(w)
		_, _ = z.Write(a.body.Bytes())
		_ = z.Close()
		zips.Put(z)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body.Bytes())
}

// seize takes the connection over; the caller closes it.
func seize(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

// event is where the event with this key is in the reply; -1: nowhere. It has its key, then its chainId.
func (a *answer) event(key string) int {
	return bytes.Index(a.body.Bytes(), []byte("<key>"+key+"</key><chainId>"))
}

// end is where the fault ends the reply.
func (a *answer) end(f *fault) int {
	if f.key == "" {
		return a.body.Len() / 2
	}
	return a.event(f.key) + f.at
}

func cut(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	a := next()
	if conn := seize(w); conn != nil {
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n", a.code, a.body.Len())
		_, _ = conn.Write(a.body.Bytes()[:a.end(f)])
	}
}

func reset(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	if conn := seize(w); conn != nil {
		conn.Close()
	}
}

// truncated: whole HTTP, half the XML.
func truncated(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	a := next()
	a.body.Truncate(a.end(f))
	a.send(w, r)
}

// trickle: the real answer, one byte each ms milliseconds.
func trickle(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	for _, c := range next().body.Bytes() {
		if _, err := w.Write([]byte{c}); err != nil || r.Context().Err() != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(time.Duration(f.ms) * time.Millisecond)
	}
}

func silent(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	<-r.Context().Done()
}

func slow(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	time.Sleep(time.Duration(f.ms) * time.Millisecond)
	next().send(w, r)
}

func html(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Welcome<br>Please log in.</body></html>\n")
}

func garbage(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	w.Header().Set("Content-Type", "text/xml")
	for i := 0; i < 4096; i++ {
		_, _ = w.Write([]byte{byte(i * i >> 3), byte(i * 7), '<', byte(i)})
	}
}

// flood: a reply that is well-formed so far and never ends.
func flood(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	w.Header().Set("Content-Type", "text/xml")
	_, err := fmt.Fprint(w, `<?xml version="1.0"?><Envelope><Body><ReadNextEventsResponse><returnval>`)
	for line := bytes.Repeat([]byte("x"), 1<<16); err == nil && r.Context().Err() == nil; {
		_, err = w.Write(line)
	}
}

// entities: the "billion laughs".
func entities(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaa">`)
	for c := 'b'; c <= 'k'; c++ {
		fmt.Fprintf(w, `<!ENTITY %c "%s">`, c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 16))
	}
	fmt.Fprint(w, `]><Envelope><Body><ReadNextEventsResponse><returnval>&k;</returnval></ReadNextEventsResponse></Body></Envelope>`)
}

// poison: the real answer with bytes that XML forbids in the first user name.
func poison(with string) func(http.ResponseWriter, *http.Request, func() *answer, *fault) {
	return func(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
		a := next()
		bad := bytes.Replace(a.body.Bytes(), []byte("<userName>"), []byte("<userName>"+with), 1)
		a.body = *bytes.NewBuffer(bad)
		a.send(w, r)
	}
}

func soapFault(class, text string) func(http.ResponseWriter, *http.Request, func() *answer, *fault) {
	return func(w http.ResponseWriter, r *http.Request, next func() *answer, _ *fault) {
		writeFault(w, class, text, "")
	}
}

func writeFault(w http.ResponseWriter, class, text, members string) {
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" `+
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode>`+
		`<faultstring>%s</faultstring><detail><%sFault xmlns="urn:vim25" xsi:type="%s">%s</%sFault></detail>`+
		`</soapenv:Fault></soapenv:Body></soapenv:Envelope>`, text, class, class, members, class)
}

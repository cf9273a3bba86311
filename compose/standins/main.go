// SPDX-License-Identifier: Apache-2.0

// standins is the three backends for local work: a CloudEvents receiver (Knative), an OpenFaaS gateway with one
// function for every topic asked for, and EventBridge. It prints one line for each event and counts them:
//
//	GET /received   {"events": n, "distinct": n, "twice": n, "ids": [...]}
//	POST /down?on=1 answers 503 to events until on=0
//	POST /slow?ms=50 waits so long before each answer
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const bodyMax = 8 << 20

type event struct {
	ID, Subject, Type, Time string
	Data                    json.RawMessage
}

// show is the name and the text of an event; the data of one that is not of a vCenter may be anything, or nothing.
func (e event) show() (name, text string) {
	var data struct{ FullFormattedMessage string }
	if json.Unmarshal(e.Data, &data) == nil {
		text = data.FullFormattedMessage
	}
	if e.Subject == "" {
		return e.Type, text
	}
	return e.Subject, text
}

type receiver struct {
	mu     sync.Mutex
	events int
	ids    map[string]int
	down   bool
	slow   time.Duration
}

// take counts an event and shows it; false while the backend is down.
func (r *receiver) take(backend string, e event) bool {
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	time.Sleep(slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return false
	}
	r.events++
	r.ids[e.ID]++
	name, text := e.show()
	fmt.Printf("%s %-11s %-24s %s\n", time.Now().UTC().Format("15:04:05.000"), backend, name, text)
	return true
}

// cloudEvent reads an event in either mode of the HTTP binding.
func cloudEvent(req *http.Request, body []byte) (e event, err error) {
	if strings.HasPrefix(req.Header.Get("Content-Type"), "application/cloudevents+json") || req.Header.Get("Ce-Id") == "" {
		err = json.Unmarshal(body, &e)
	} else {
		e.ID, e.Subject, e.Type = req.Header.Get("Ce-Id"), req.Header.Get("Ce-Subject"), req.Header.Get("Ce-Type")
		e.Time, e.Data = req.Header.Get("Ce-Time"), body
	}
	if err == nil && e.ID == "" {
		err = fmt.Errorf("not a CloudEvent")
	}
	return
}

func (r *receiver) post(backend string, w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, bodyMax))
	e, wrong := cloudEvent(req, body)
	switch {
	case err != nil || wrong != nil:
		http.Error(w, fmt.Sprint(err, wrong), http.StatusBadRequest)
	case !r.take(backend, e):
		http.Error(w, "down", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// aws answers PutEvents and ListRules, the two calls of EventBridge that a router makes.
func (r *receiver) aws(w http.ResponseWriter, req *http.Request) {
	var in struct{ Entries []struct{ Detail string } }
	body, _ := io.ReadAll(http.MaxBytesReader(w, req.Body, bodyMax))
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".ListRules") {
		fmt.Fprintf(w, `{"Rules":[{"Name":"vcenter","Arn":%q,"EventBusName":"default","State":"ENABLED","EventPattern":%q}]}`,
			os.Getenv("RULE_ARN"), `{"detail":{"subject":[{"exists":true}]}}`)
		return
	}
	out := []map[string]string{}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, `{"__type":"SerializationException"}`, http.StatusBadRequest)
		return
	}
	failed := 0
	for _, entry := range in.Entries {
		var e event
		if json.Unmarshal([]byte(entry.Detail), &e) == nil && r.take("eventbridge", e) {
			out = append(out, map[string]string{"EventId": e.ID})
		} else {
			out = append(out, map[string]string{"ErrorCode": "InternalFailure", "ErrorMessage": "down"})
			failed++
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": failed, "Entries": out})
}

func (r *receiver) received(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids, twice := make([]string, 0, len(r.ids)), 0
	for id, n := range r.ids {
		ids = append(ids, id)
		twice += n - 1
	}
	json.NewEncoder(w).Encode(map[string]any{"events": r.events, "distinct": len(ids), "twice": twice, "ids": ids})
}

func (r *receiver) setDown(_ http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.down = req.URL.Query().Get("on") == "1"
	r.mu.Unlock()
}

func (r *receiver) setSlow(_ http.ResponseWriter, req *http.Request) {
	ms, _ := strconv.Atoi(req.URL.Query().Get("ms"))
	r.mu.Lock()
	r.slow = time.Duration(ms) * time.Millisecond
	r.mu.Unlock()
}

func (r *receiver) mux(role, topics string) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/received", r.received)
	mux.HandleFunc("/down", r.setDown)
	mux.HandleFunc("/slow", r.setSlow)
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	switch role {
	case "knative":
		mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { r.post("knative", w, req) })
	case "openfaas":
		mux.HandleFunc("/system/namespaces", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `["openfaas-fn"]`) })
		mux.HandleFunc("/system/functions", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `[{"name":"show","namespace":"openfaas-fn","annotations":{"topic":%q}}]`, topics)
		})
		call := func(w http.ResponseWriter, req *http.Request) { r.post("openfaas", w, req) }
		mux.HandleFunc("/function/", call)
		mux.HandleFunc("/async-function/", call)
	case "eventbridge":
		mux.HandleFunc("/", r.aws)
	default:
		log.Fatalf("standins: -role must be knative, openfaas or eventbridge, not %q", role)
	}
	return mux
}

func main() {
	role := flag.String("role", "knative", "knative, openfaas or eventbridge")
	listen := flag.String("listen", ":8080", "address")
	topics := flag.String("topics", "VmPoweredOnEvent,VmPoweredOffEvent,VmReconfiguredEvent,UserLoginSessionEvent", "openfaas: the function's topics")
	health := flag.Bool("health", false, "ask the one that listens whether it is well, and exit")
	flag.Parse()
	if *health {
		if _, err := http.Get("http://127.0.0.1" + *listen + "/healthz"); err != nil {
			log.Fatal(err)
		}
		return
	}
	r := &receiver{ids: map[string]int{}}
	server := &http.Server{Addr: *listen, Handler: r.mux(*role, *topics), ReadTimeout: 30 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// SPDX-License-Identifier: Apache-2.0

// vcenter-sim is a vCenter as a source of events: the VPX model of govmomi's simulator behind TLS, with
// an event log and event history collectors that behave like vCenter's, and faults on demand. README.md.
package main

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"log"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	eventclient "github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	managerName = "SimEventManager"
	clockName   = "SimClock"
	passwordEnv = "VCENTER_SIM_PASSWORD"
)

type options struct {
	listen, user, cert, key, uuid, name, mix string
	plain, verbose, byTime, skipLate         bool
	idle, span, notify                       time.Duration
	vms, backlog, collectors, endpoints      int
	rate, operations                         float64
	firstKey, seed                           int64
	shape                                    logShape
	hide                                     string
	hidden                                   hiding
	known                                    []*template
}

func parse() *options {
	o := &options{}
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address; port 0 is any free one")
	flag.StringVar(&o.user, "user", "administrator@vsphere.local", "user; the password is in $"+passwordEnv+" or the file that $"+passwordEnv+"_FILE names")
	flag.StringVar(&o.cert, "cert", "", "server certificate (PEM); default: self-signed")
	flag.StringVar(&o.key, "key", "", "its private key (PEM)")
	flag.BoolVar(&o.plain, "http", false, "plain HTTP instead of TLS")
	flag.StringVar(&o.uuid, "uuid", "", "about.instanceUuid to report")
	flag.StringVar(&o.name, "name", "", "about.name to report")
	flag.DurationVar(&o.idle, "idle", 0, "session idle timeout (0: never; vCenter: 30m)")
	flag.IntVar(&o.vms, "vm", 20, "virtual machines in a resource pool")
	flag.IntVar(&o.backlog, "backlog", 0, "synthetic events already there at start")
	flag.DurationVar(&o.span, "backlog-span", 24*time.Hour, "period the backlog is spread over, ending now")
	flag.Float64Var(&o.rate, "rate", 0, "synthetic events a second")
	flag.Float64Var(&o.operations, "real", 0, "inventory operations a second (power, reconfigure, rename, ...)")
	flag.Int64Var(&o.firstKey, "keystart", 1, "first event key; an int32 that wraps")
	flag.Int64Var(&o.seed, "seed", 1, "same seed and flags, same backlog")
	flag.StringVar(&o.mix, "mix", "", "comma list of synthetic templates (default: all)")
	flag.Float64Var(&o.shape.late, "ooo", 0, "share of synthetic events with a createdTime up to -ooo-by in the past")
	flag.DurationVar(&o.shape.lateBy, "ooo-by", 3*time.Second, "see -ooo")
	flag.IntVar(&o.shape.tie, "tie", 1, "this many consecutive synthetic events share one createdTime")
	flag.Float64Var(&o.shape.gap, "gap", 0, "chance that keys are skipped")
	flag.StringVar(&o.hide, "hide", "", "RUN/EVERY: RUN consecutive events of every EVERY are invisible to the user")
	flag.BoolVar(&o.hidden.stuck, "hide-stuck", false, "a page of only invisible events does not move the position")
	flag.BoolVar(&o.skipLate, "skip-late", false, "an open collector never shows an event older than the last it showed")
	flag.BoolVar(&o.byTime, "by-time", false, "collectors scroll by createdTime, not by key")
	flag.IntVar(&o.endpoints, "endpoints", 1, "vCenters in this process, each on a port of its own; they share inventory and account")
	flag.IntVar(&o.collectors, "max-collectors", 32, "collectors a session may have")
	flag.DurationVar(&o.notify, "notify", 20*time.Millisecond, "how often latestEvent and latestPage are brought up to date")
	flag.BoolVar(&o.verbose, "v", false, "show the simulator's log")
	flag.Parse()
	if o.hide != "" {
		if _, err := fmt.Sscanf(o.hide, "%d/%d", &o.hidden.run, &o.hidden.every); err != nil {
			fail(fmt.Errorf("-hide %q: %v", o.hide, err))
		}
	}
	return o
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "vcenter-sim:", err)
	os.Exit(1)
}

// model makes the inventory and gives an in-memory client to it.
func model(o *options, password string) (*simulator.Model, *vim25.Client) {
	m := simulator.VPX()
	m.Machine = o.vms
	if err := m.Create(); err != nil {
		fail(err)
	}
	about := &simulator.Map.Get(vim25.ServiceInstance).(*simulator.ServiceInstance).Content.About
	if o.uuid != "" {
		about.InstanceUuid = o.uuid
	}
	if o.name != "" {
		about.Name = o.name
	}
	m.Service.Listen = &url.URL{Host: o.listen, User: url.UserPassword(o.user, password)}
	if !o.plain {
		m.Service.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.cert != "" {
			pair, err := tls.LoadX509KeyPair(o.cert, o.key)
			if err != nil {
				fail(err)
			}
			m.Service.TLS.Certificates = []tls.Certificate{pair}
		}
	}
	client, err := vim25.NewClient(context.Background(), m.Service)
	if err != nil {
		fail(err)
	}
	return m, client
}

// install puts our managed objects beside the simulator's and taps its event manager for the first endpoint.
func install(all []*endpoint, o *options, client *vim25.Client) {
	describe(o.known)
	for n, e := range all {
		e.install(n, o)
	}
	stock, err := eventclient.NewManager(client).CreateCollectorForEvents(context.Background(), types.EventFilterSpec{MaxCount: 1})
	if err != nil {
		fail(err)
	}
	simulator.Map.AddHandler(&tap{self: ref("Tap", "tap"), collector: stock.Reference(), log: all[0].log})
}

// announce prints the one line, JSON, that says the simulator is ready and where.
func announce(s *simulator.Server, user string, urls []string) {
	colons := func(sum []byte) string { return strings.Replace(fmt.Sprintf("% X", sum), " ", ":", -1) }
	line := map[string]interface{}{"url": urls[0], "urls": urls, "user": user}
	if s.URL.Scheme == "https" {
		raw := s.Certificate().Raw
		one, two := sha1.Sum(raw), sha256.Sum256(raw)
		line["sha1"], line["sha256"] = colons(one[:]), colons(two[:])
	}
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func main() {
	o := parse()
	password := os.Getenv(passwordEnv)
	if file := os.Getenv(passwordEnv + "_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			fail(err)
		}
		password = strings.TrimSpace(string(text))
	}
	if password == "" {
		fail(fmt.Errorf("set $%s", passwordEnv))
	}
	if !o.verbose {
		log.SetOutput(ioutil.Discard)
	}
	all := templates()
	pick := all
	if o.mix != "" {
		pick = nil
		for _, name := range strings.Split(o.mix, ",") {
			t := find(all, name)
			if t == nil {
				fail(fmt.Errorf("no template %q", name))
			}
			pick = append(pick, t)
		}
	}
	o.known = all
	debug.SetGCPercent(400) // it shares a small machine with what it tests
	var vcenters []*endpoint
	for n := 0; n < o.endpoints; n++ {
		vcenters = append(vcenters, newEndpoint(n, o, pick))
	}

	simulator.SessionIdleTimeout = o.idle
	m, client := model(o, password)
	install(vcenters, o, client)
	server := m.Service.NewServer()
	vcenters[0].start(0, o, server.Config.Handler, client, m)
	server.Config.Handler = vcenters[0].front
	if o.operations > 0 {
		go operate(client, o.operations)
	}
	announce(server, o.user, rest(vcenters, o, server, client, m))
	waitForEnd()
}

// waitForEnd returns on SIGINT, SIGTERM, or when stdin closes: whoever started it is gone.
func waitForEnd() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(ioutil.Discard, os.Stdin)
		end <- syscall.SIGTERM
	}()
	<-end
}

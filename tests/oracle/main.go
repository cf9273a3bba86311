// SPDX-License-Identifier: Apache-2.0

// Oracle compares `vcourier convert --data` with govmomi: events of every class, filled at random, are encoded as
// SOAP by govmomi. After govmomi has decoded that SOAP, encoding/json writes the JSON that the Event Router sent. Our
// output must be the same text without the "_typeName" members, and each of those must be correct. Every other page
// is the same document in another form: elements shuffled, other prefixes, CDATA, comments.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

const perPage = 200

const (
	head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>`
	tail = "</soapenv:Body></soapenv:Envelope>\n"
)

type response struct {
	XMLName   struct{}          `xml:"urn:vim25 ReadNextEventsResponse"`
	Returnval []types.BaseEvent `xml:"returnval,omitempty,typeattr"`
}

func encode(events []types.BaseEvent) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	if err := xml.NewEncoder(&b).Encode(&response{Returnval: events}); err != nil {
		log.Fatal(err)
	}
	b.WriteString(tail)
	return b.Bytes()
}

func decode(page []byte) []types.BaseEvent {
	type events struct {
		Returnval []types.BaseEvent `xml:"returnval"`
	}
	var envelope struct {
		Body struct {
			Read  events `xml:"urn:vim25 ReadNextEventsResponse"`
			Query events `xml:"urn:vim25 QueryEventsResponse"`
		}
	}
	d := xml.NewDecoder(bytes.NewReader(page))
	d.TypeFunc = types.TypeFunc()
	if err := d.Decode(&envelope); err != nil {
		log.Fatal(err)
	}
	return append(envelope.Body.Read.Returnval, envelope.Body.Query.Returnval...)
}

// table lists the classes of the type table, which an xsd:anyType may have.
func table(path string) []reflect.Type {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	known := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); strings.HasPrefix(line, "class ") && words[len(words)-1] != "new" {
			known[words[1]] = true
		}
	}
	return sorted(func(name string, _ reflect.Type) bool { return known[name] })
}

var typeName = regexp.MustCompile(`"_typeName":"[^"]*"(,|(\}))`)

// problem describes the fault in our text of an event; "" if there is none.
func problem(ours []byte, event types.BaseEvent) string {
	theirs, err := json.Marshal(event)
	if err != nil {
		log.Fatal(err)
	}
	if plain := typeName.ReplaceAll(ours, []byte("$2")); !bytes.Equal(plain, theirs) {
		return fmt.Sprintf("govmomi: %s\nours:    %s", theirs, plain)
	}
	var got, want interface{}
	typed, err := json.Marshal(withTypeNames(reflect.ValueOf(event).Elem(), "", false))
	if err != nil {
		log.Fatal(err)
	}
	if json.Unmarshal(typed, &want) != nil || json.Unmarshal(ours, &got) != nil || !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("type names: %s\nours:       %s", typed, ours)
	}
	return ""
}

// convert runs our converter over a page and returns its lines.
func convert(command string, page []byte) [][]byte {
	words := strings.Fields(command)
	run := exec.Command(words[0], words[1:]...)
	run.Stdin = bytes.NewReader(page)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		log.Fatalf("%s: %v", command, err)
	}
	return bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
}

// page has n events: each class in turn, and sometimes a carrier of other classes.
func (f *filler) page(classes []reflect.Type, n int) []types.BaseEvent {
	var events []types.BaseEvent
	for ; n > 0; n-- {
		f.some = []float64{1, 0, 0.3, 0.7}[f.Intn(4)] // all, none, some fields
		f.size = 0
		if f.Intn(4) == 0 {
			events = append(events, f.carrier())
			continue
		}
		p := reflect.New(classes[f.event%len(classes)])
		f.event++
		f.fill(p.Elem(), 0)
		events = append(events, p.Interface().(types.BaseEvent))
	}
	return events
}

// compare returns the number of equal events of a page, and stops at the first difference. Other tests cover the
// classes that govmomi does not have.
func compare(command string, page, original []byte, what string) int {
	events := decode(original)
	lines := convert(command, page)
	if len(lines) != len(events) {
		log.Fatalf("%s: %d events in, %d out", what, len(events), len(lines))
	}
	equal := 0
	for i := range events {
		if events[i] == nil {
			continue
		}
		if text := problem(lines[i], events[i]); text != "" {
			os.WriteFile("build/oracle-page.xml", page, 0o644)
			log.Fatalf("%s: event %d (%s), page in build/oracle-page.xml\n%s", what, i,
				reflect.TypeOf(events[i]).Elem().Name(), text)
		}
		equal++
	}
	return equal
}

func comparePages(command string, files []string) {
	for _, file := range files {
		page, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d events equal\n", file, compare(command, page, page, file))
	}
}

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 1000, "events")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the random values")
	command := flag.String("convert", "build/release/vcourier convert --data -", "our converter")
	classTable := flag.String("table", "schemas/vsphere.table", "the type table")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: oracle [OPTIONS] [PAGE...]   recorded pages, or events at random")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		comparePages(*command, flag.Args())
		return
	}

	classes := sorted(func(_ string, t reflect.Type) bool { return isEvent(t) })
	f := &filler{Rand: rand.New(rand.NewSource(*seed)), families: map[reflect.Type][]reflect.Type{}, any: table(*classTable)}
	fmt.Printf("seed %d: %d events of %d classes, %d classes as xsd:anyType\n", *seed, *n, len(classes), len(f.any))
	equal := 0
	for from := 0; from < *n; from += perPage {
		count := perPage
		if count > *n-from {
			count = *n - from
		}
		original := encode(f.page(classes, count))
		page := original
		if from/perPage%2 == 1 {
			page = f.disguise(page)
		}
		equal += compare(*command, page, original, fmt.Sprintf("seed %d, page %d", *seed, from/perPage))
	}
	if f.event < len(classes) || f.next < len(f.any) {
		fmt.Printf("not all classes: %d events, %d as xsd:anyType\n", f.event, f.next)
	}
	fmt.Printf("%d events equal\n", equal)
}

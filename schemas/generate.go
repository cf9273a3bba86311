// SPDX-License-Identifier: Apache-2.0

// Generate writes the vSphere type table (vsphere.table) from govmomi's type registry: the 443 event classes
// and every class, fault and enumeration that can be reached from their fields.
//
//	generate                        the table of the govmomi that it was built with
//	generate -merge newer.table     the same, plus the entries that only the newer table has, marked `new`
//
// `make schemas` runs it. Do not edit the table by hand.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"
	_ "unsafe" // for linkname

	"github.com/vmware/govmomi/vim25/types"
)

// The registry: XML type name -> Go type. govmomi has a function to look up a name, but none to list all names.
//
//go:linkname registry github.com/vmware/govmomi/vim25/types.t
var registry map[string]reflect.Type

var (
	timeType  = reflect.TypeOf(time.Time{})
	morefType = reflect.TypeOf(types.ManagedObjectReference{})
	eventType = reflect.TypeOf(types.Event{})
)

var scalarKinds = map[reflect.Kind]string{
	reflect.Bool: "bool", reflect.Int8: "int8", reflect.Int16: "int16", reflect.Int32: "int32",
	reflect.Int64: "int64", reflect.Uint8: "uint8", reflect.Uint16: "uint16", reflect.Uint32: "uint32",
	reflect.Uint64: "uint64", reflect.Float32: "float32", reflect.Float64: "float64", reflect.String: "string",
}

type field struct {
	xmlName, kind, typ string
	flags              []string
}

func (f field) String() string {
	words := []string{f.xmlName, f.kind}
	if f.typ != "" {
		words = append(words, f.typ)
	}
	return "\t" + strings.Join(append(words, f.flags...), " ")
}

type class struct {
	name, base string
	fields     []field
	enum       bool
	isNew      bool
}

// base returns the class that a struct embeds: by govmomi's convention its first field.
func base(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Anonymous {
		return t.Field(0).Type
	}
	return nil
}

func descends(t, from reflect.Type) bool {
	for ; t != nil; t = base(t) {
		if t == from {
			return true
		}
	}
	return false
}

// isClass is true for data objects, not for the registry's other entries: Base interfaces, aliases of a class, and
// the elements that contain a fault (NotFoundFault contains NotFound).
func isClass(name string, t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.Name() != name {
		return false
	}
	fault, known := registry[strings.TrimSuffix(name, "Fault")]
	return !known || fault == t || !fault.ConvertibleTo(t)
}

// walker collects the closure of classes; todo holds the classes that are found but not described yet.
type walker struct {
	seen map[reflect.Type]bool
	todo []reflect.Type
}

func (w *walker) add(t reflect.Type) {
	if t == nil || t.Name() == "DynamicData" || w.seen[t] {
		return
	}
	w.seen[t] = true
	w.todo = append(w.todo, t)
}

// addTree adds a class and all classes derived from it.
func (w *walker) addTree(t reflect.Type) {
	for name, r := range registry {
		if isClass(name, r) && descends(r, t) {
			w.add(r)
		}
	}
}

func (w *walker) describeField(owner reflect.Type, f reflect.StructField) field {
	tag := strings.Split(f.Tag.Get("xml"), ",")
	out := field{xmlName: tag[0]}
	t := f.Type
	if upper := strings.ToUpper(out.xmlName[:1]) + out.xmlName[1:]; upper != f.Name {
		log.Fatalf("%s.%s: the JSON name is not the XML name %q capitalized", owner, f.Name, out.xmlName)
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		out.flags = append(out.flags, "array")
		t = t.Elem()
	}
	if t.Kind() == reflect.Ptr {
		out.flags = append(out.flags, "pointer")
		t = t.Elem()
	}
	for _, word := range tag[1:] {
		if word == "omitempty" {
			out.flags = append(out.flags, "optional")
		}
	}
	switch {
	case t == timeType:
		out.kind = "time"
	case t == morefType:
		out.kind = "moref"
	case t.Kind() == reflect.Slice:
		out.kind = "bytes"
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		out.kind = "any"
	case t.Kind() == reflect.Interface:
		declared := registry[t.Name()]
		out.kind, out.typ = "object", declared.Name()
		out.flags = append(out.flags, "polymorphic")
		w.addTree(declared)
	case t.Kind() == reflect.Struct:
		out.kind, out.typ = "object", t.Name()
		w.addTree(t)
	case t.Kind() == reflect.String && t.Name() != "string":
		out.kind, out.typ = "enum", t.Name()
		w.add(t)
	default:
		out.kind = scalarKinds[t.Kind()]
	}
	if out.kind == "" {
		log.Fatalf("%s.%s: no kind for %s", owner, f.Name, t)
	}
	return out
}

func (w *walker) describe(t reflect.Type) class {
	out := class{name: t.Name(), base: "-", enum: t.Kind() == reflect.String}
	if out.enum || t == morefType {
		return out
	}
	if b := base(t); b != nil && b.Name() != "DynamicData" {
		out.base = b.Name()
		w.add(b)
	}
	for i := 0; i < t.NumField(); i++ {
		if f := t.Field(i); !f.Anonymous {
			out.fields = append(out.fields, w.describeField(t, f))
		}
	}
	return out
}

func (w *walker) drain(classes map[string]class) {
	for len(w.todo) > 0 {
		t := w.todo[0]
		w.todo = w.todo[1:]
		classes[t.Name()] = w.describe(t)
	}
}

// collect describes the events' closure, and the ArrayOf wrappers that an xsd:anyType may hold.
func collect() map[string]class {
	w := walker{seen: map[reflect.Type]bool{}}
	classes := map[string]class{}
	w.addTree(eventType)
	w.addTree(reflect.TypeOf(types.MethodFault{}))
	w.add(morefType)
	w.drain(classes)
	for name, t := range registry {
		item := strings.TrimPrefix(name, "ArrayOf")
		if item == name || !isClass(name, t) || t.NumField() != 1 {
			continue
		}
		scalar := t.Field(0).Type.Elem().PkgPath() == "" || item == "AnyType"
		if _, known := classes[item]; known || scalar {
			w.add(t)
		}
	}
	w.drain(classes)
	for name, t := range registry { // aliases of a class: HostSubSpecificationUpdateEvent
		if t.Kind() == reflect.Struct && t.Name() != name && descends(t, eventType) && !strings.HasPrefix(name, "Base") {
			classes[name] = class{name: name, base: t.Name()}
		}
	}
	return classes
}

func write(out *bufio.Writer, classes map[string]class) {
	var names []string
	for name := range classes {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		c := classes[name]
		suffix := ""
		if c.isNew {
			suffix = " new"
		}
		if c.enum {
			fmt.Fprintf(out, "enum %s%s\n", c.name, suffix)
			continue
		}
		fmt.Fprintf(out, "class %s %s%s\n", c.name, c.base, suffix)
		for _, f := range c.fields {
			fmt.Fprintln(out, f)
		}
	}
}

func main() {
	log.SetFlags(0)
	newer := flag.String("merge", "", "a table made with a newer govmomi")
	title := flag.String("title", "govmomi", "what the table is made of, for its first line")
	flag.Parse()
	classes := collect()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintln(out, "# The vSphere types that events are made of. Generated by `make schemas`, not to be edited.")
	fmt.Fprintln(out, "# class NAME BASE, then its own fields in order: XML name, kind, declared class, flags.")
	fmt.Fprintf(out, "# From %s.\n", *title)
	if *newer != "" {
		for _, line := range merge(classes, readTable(*newer)) {
			fmt.Fprintf(out, "# differs: %s\n", line)
		}
	}
	write(out, classes)
}

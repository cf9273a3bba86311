// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand"
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

const (
	depthMax = 6   // depth of nested classes; below it only required fields are filled
	sizeMax  = 600 // fields of one event
)

// hostile strings, each of which a faulty writer of XML or JSON gets wrong.
var hostile = []string{
	"", " ", "plain", "0012", "7", "true", "null", "1e5", `a<b>&"c"'d'`, "]]>", "<![CDATA[x]]>", "&amp;#65;",
	"\n", "\r\n", "\t tab\t", " blanks around ", "\\ backslash \\u0041 \\", `{"_typeName":"X","k":[1]}`, "</returnval>",
	"\u2028\u2029", "\u0085\u00a0\ufeff", "\U0001f600 \u00e4\u4e2d", "\ufffd", "\ufffe\uffff", "\x00\x01\x0b\x1f\x7f",
	"\xff\xfe", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", strings.Repeat("long \u20ac ", 700),
}

var (
	timeType  = reflect.TypeOf(time.Time{})
	morefType = reflect.TypeOf(types.ManagedObjectReference{})
	eventType = reflect.TypeOf(types.Event{})
)

// filler fills values at random. The same seed produces the same values.
type filler struct {
	*rand.Rand
	some     float64 // probability that an optional field is set
	size     int
	families map[reflect.Type][]reflect.Type // interface -> the classes that implement it
	any      []reflect.Type                  // the types that an xsd:anyType may have, in turn
	next     int                             // of any
	event    int                             // of the event classes
}

func base(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Anonymous {
		return t.Field(0).Type
	}
	return nil
}

func isEvent(t reflect.Type) bool {
	for ; t != nil; t = base(t) {
		if t == eventType {
			return true
		}
	}
	return false
}

// sorted lists the registry's classes for which `keep` is true, by name.
func sorted(keep func(name string, t reflect.Type) bool) []reflect.Type {
	var out []reflect.Type
	for name, t := range registry {
		if t.Kind() == reflect.Struct && t.Name() == name && keep(name, t) {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, k int) bool { return out[i].Name() < out[k].Name() })
	return out
}

func (f *filler) family(iface reflect.Type) []reflect.Type {
	if f.families[iface] == nil {
		f.families[iface] = sorted(func(name string, t reflect.Type) bool {
			fault := registry[strings.TrimSuffix(name, "Fault")]
			return reflect.PtrTo(t).Implements(iface) && (fault == nil || fault == t || !fault.ConvertibleTo(t))
		})
	}
	return f.families[iface]
}

func (f *filler) str() string {
	if f.Intn(3) == 0 {
		return hostile[f.Intn(len(hostile))]
	}
	return "text " + hostile[f.Intn(len(hostile))] + " end"
}

func (f *filler) int(bits int) int64 {
	edges := []int64{0, 1, -1, 42, math.MaxInt16, 1<<(bits-1) - 1, -1 << (bits - 1)}
	if i := f.Intn(2 * len(edges)); i < len(edges) {
		v := edges[i]
		return v << (64 - bits) >> (64 - bits)
	}
	return int64(f.Uint64()) >> (64 - bits)
}

func (f *filler) float(bits int) float64 {
	edges := []float64{0, 1, -1.5, 0.1, 1e-6, 9.99e-7, 1e20, 1e21, 123456789.125, 5e-9, -3.25e30, math.Copysign(0, -1)}
	v := edges[f.Intn(len(edges))]
	if f.Intn(2) == 0 {
		v = math.Ldexp(f.NormFloat64(), f.Intn(120)-60)
	}
	if bits == 32 {
		v = float64(float32(v))
	}
	return v
}

func (f *filler) time() time.Time {
	zones := []*time.Location{time.UTC, time.FixedZone("", 2*3600), time.FixedZone("", -(9*3600 + 30*60))}
	fraction := []int64{0, 1, 100, 120000000, 345678000, 999999999, 500000000}
	t := time.Unix(f.Int63n(8e9)-2e9, fraction[f.Intn(len(fraction))])
	return t.In(zones[f.Intn(len(zones))])
}

func (f *filler) bytes() []byte {
	b := make([]byte, 1+f.Intn(9))
	f.Read(b)
	return b
}

// anything fills an xsd:anyType: each class in turn, and equally often a scalar.
func (f *filler) anything(v reflect.Value, depth int) {
	scalars := []interface{}{
		f.str(), f.Intn(2) == 0, int8(f.int(8)), int16(f.int(16)), int32(f.int(32)), f.int(64), uint8(f.Intn(256)),
		uint16(f.Intn(65536)), f.Uint32(), f.Uint64(), float32(f.float(32)), f.float(64), f.time(), f.bytes(),
		types.ManagedObjectReference{Type: "HostSystem", Value: f.str()}, types.ManagedEntityStatusRed,
	}
	if i := f.Intn(2 * len(scalars)); i < len(scalars) || depth > depthMax {
		v.Set(reflect.ValueOf(scalars[i%len(scalars)]))
		return
	}
	v.Set(f.nextClass(depth + 1))
}

// nextClass is an instance of the next class.
func (f *filler) nextClass(depth int) reflect.Value {
	p := reflect.New(f.any[f.next%len(f.any)])
	f.next++
	f.fill(p.Elem(), depth)
	return p.Elem()
}

// carrier is an event with an instance of each of the next classes as its arguments.
func (f *filler) carrier() types.BaseEvent {
	e := &types.EventEx{EventTypeId: "com.example.carrier"}
	for i := 0; i < 4; i++ {
		f.size = 0
		e.Arguments = append(e.Arguments, types.KeyAnyValue{Key: f.str(), Value: f.nextClass(1).Interface()})
	}
	return e
}

// skip decides whether an optional value is missing.
func (f *filler) skip(depth int) bool {
	return depth > depthMax || f.size > sizeMax || f.Float64() >= f.some
}

func (f *filler) fill(v reflect.Value, depth int) {
	t := v.Type()
	f.size++
	switch {
	case t == timeType:
		v.Set(reflect.ValueOf(f.time()))
	case t.Kind() == reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			f.fill(v.Field(i), depth+1)
		}
	case t.Kind() == reflect.Ptr:
		if !f.skip(depth) {
			v.Set(reflect.New(t.Elem()))
			f.fill(v.Elem(), depth)
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		if !f.skip(depth) {
			v.SetBytes(f.bytes())
		}
	case t.Kind() == reflect.Slice:
		for n := 1 + f.Intn(3); n > 0 && !f.skip(depth); n-- {
			item := reflect.New(t.Elem()).Elem()
			f.fill(item, depth+1)
			if item.Kind() == reflect.Interface && item.IsNil() {
				break // XML cannot represent an empty place in a list
			}
			v.Set(reflect.Append(v, item))
		}
	case t.Kind() == reflect.Interface && f.skip(depth):
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		f.anything(v, depth)
	case t.Kind() == reflect.Interface:
		family := f.family(t)
		p := reflect.New(family[f.Intn(len(family))])
		f.fill(p.Elem(), depth+1)
		v.Set(p)
	case f.some < 1 && f.Float64() >= f.some:
	case t.Kind() == reflect.String:
		v.SetString(f.str())
	case t.Kind() == reflect.Bool:
		v.SetBool(f.Intn(2) == 0)
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		v.SetFloat(f.float(t.Bits()))
	default:
		v.SetInt(f.int(t.Bits()))
	}
}

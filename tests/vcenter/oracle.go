// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// writeJSON appends one line: the event as Go's encoding/json writes govmomi's types (what the event
// router sent), or, vi, as the VI JSON API does.
func writeJSON(b *bytes.Buffer, ev types.BaseEvent, vi bool) error {
	if !vi {
		return json.NewEncoder(b).Encode(ev)
	}
	viValue(b, reflect.ValueOf(ev), false)
	b.WriteByte('\n')
	return nil
}

// viValue: the XML element's name is the member's name, _typeName on every object, AnyType scalars as
// {_typeName,_value}. Optional numbers that are 0 are dropped, as govmomi's newer encoder does.
func viValue(b *bytes.Buffer, v reflect.Value, any bool) {
	for v.Kind() == reflect.Ptr || v.Kind() == reflect.Interface {
		any = any || v.Kind() == reflect.Interface && v.Type().NumMethod() == 0
		if v.IsNil() {
			b.WriteString("null")
			return
		}
		v = v.Elem()
	}
	if m, ok := v.Interface().(types.ManagedObjectReference); ok {
		fmt.Fprintf(b, `{"_typeName":"ManagedObjectReference","type":%q,"value":%q}`, m.Type, m.Value)
		return
	}
	if name := xsdName(v); name != "" {
		text, _ := json.Marshal(v.Interface())
		if any {
			fmt.Fprintf(b, `{"_typeName":%q,"_value":%s}`, name, text)
		} else {
			b.Write(text)
		}
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		b.WriteByte('[')
		for i := 0; i < v.Len(); i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			viValue(b, v.Index(i), false)
		}
		b.WriteByte(']')
	case reflect.Struct:
		fmt.Fprintf(b, `{"_typeName":%q`, v.Type().Name())
		viMembers(b, v)
		b.WriteByte('}')
	}
}

// xsdName is the XML Schema type of a scalar, "" for anything else.
func xsdName(v reflect.Value) string {
	switch v.Interface().(type) {
	case time.Time:
		return "dateTime"
	case []byte:
		return "binary"
	}
	return map[reflect.Kind]string{reflect.Bool: "boolean", reflect.Int8: "byte", reflect.Uint8: "byte",
		reflect.Int16: "short", reflect.Int32: "int", reflect.Int64: "long", reflect.Int: "long",
		reflect.Float32: "float", reflect.Float64: "double", reflect.String: "string"}[v.Kind()]
}

func viMembers(b *bytes.Buffer, v reflect.Value) {
	t := v.Type()
	for i := 0; i < t.NumField(); i++ {
		field, x := t.Field(i), v.Field(i)
		if field.Anonymous {
			viMembers(b, x)
			continue
		}
		tag := field.Tag.Get("xml")
		name := strings.Split(tag, ",")[0]
		if name == "" || viAbsent(x, strings.Contains(tag, ",omitempty")) {
			continue
		}
		if strings.HasPrefix(t.Name(), "ArrayOf") {
			name = "_value"
		}
		fmt.Fprintf(b, ",%q:", name[strings.Index(name, " ")+1:])
		viValue(b, x, x.Kind() == reflect.Interface && x.Type().NumMethod() == 0)
	}
}

func viAbsent(x reflect.Value, optional bool) bool {
	switch x.Kind() {
	case reflect.Ptr, reflect.Interface:
		return x.IsNil()
	case reflect.Slice:
		return optional && x.Len() == 0
	case reflect.Bool, reflect.Struct:
		return false
	}
	return optional && x.IsZero()
}

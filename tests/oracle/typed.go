// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// flatten adds the members of a struct as encoding/json does, embedded structs first.
func flatten(v reflect.Value, out map[string]interface{}) {
	for i := 0; i < v.NumField(); i++ {
		f := v.Type().Field(i)
		if f.Anonymous {
			flatten(v.Field(i), out)
			continue
		}
		declared, polymorphic := "", false
		t := f.Type
		for t.Kind() == reflect.Ptr || t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			t = t.Elem()
		}
		if t.Kind() == reflect.Interface {
			polymorphic = true
			if t.NumMethod() > 0 {
				declared = registry[t.Name()].Name()
			}
		}
		out[f.Name] = withTypeNames(v.Field(i), declared, polymorphic)
	}
}

// withTypeNames is the value in the form of encoding/json, with "_typeName" in each object whose class is not the
// declared one. It follows the documentation, not our C code.
func withTypeNames(v reflect.Value, declared string, polymorphic bool) interface{} {
	switch v.Kind() {
	case reflect.Ptr, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return withTypeNames(v.Elem(), declared, polymorphic)
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Interface()
		}
		items := []interface{}{}
		for i := 0; i < v.Len(); i++ {
			items = append(items, withTypeNames(v.Index(i), declared, polymorphic))
		}
		return items
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t
		}
		out := map[string]interface{}{}
		if polymorphic && v.Type().Name() != declared {
			out["_typeName"] = v.Type().Name()
		}
		if ref, ok := v.Interface().(types.ManagedObjectReference); ok {
			out["Type"], out["Value"] = ref.Type, ref.Value
			return out
		}
		flatten(v, out)
		return out
	}
	return v.Interface()
}

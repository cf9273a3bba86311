// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
)

// readTable reads a table in the format of write.
func readTable(path string) map[string]class {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	classes := map[string]class{}
	var current class
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "enum" && line[0] != '\t':
			classes[words[1]] = class{name: words[1], base: "-", enum: true}
		case words[0] == "class" && line[0] != '\t':
			current = class{name: words[1], base: words[2]}
			classes[current.name] = current
		default:
			f := field{xmlName: words[0], kind: words[1]}
			rest := words[2:]
			if f.kind == "object" || f.kind == "enum" {
				f.typ, rest = rest[0], rest[1:]
			}
			f.flags = rest
			current.fields = append(current.fields, f)
			classes[current.name] = current
		}
	}
	return classes
}

// merge adds to `old` the entries that only `newer` has, and marks them as new. New fields are converted, but not written
// as null when they are absent, because the Event Router did not have them. A field of both keeps its old entry;
// differences in shape are returned.
func merge(old, newer map[string]class) []string {
	var differences []string
	for name, n := range newer {
		o, known := old[name]
		if !known {
			n.isNew = true
			old[name] = n
			continue
		}
		have := map[string]field{}
		for _, f := range o.fields {
			have[f.xmlName] = f
		}
		for _, f := range n.fields {
			before, known := have[f.xmlName]
			if !known {
				f.flags = append(without(f.flags, "new"), "new")
				o.fields = append(o.fields, f)
			} else if shape(before) != shape(f) {
				differences = append(differences, fmt.Sprintf("%s.%s is %q here, %q in the newer",
					name, f.xmlName, shape(before), shape(f)))
			}
		}
		old[name] = o
	}
	sort.Strings(differences)
	return differences
}

func without(words []string, word string) (out []string) {
	for _, w := range words {
		if w != word {
			out = append(out, w)
		}
	}
	return out
}

// shape is the part of a field that determines how it is read and written.
func shape(f field) string {
	words := []string{f.kind}
	if f.typ != "" {
		words = append(words, f.typ)
	}
	for _, flag := range f.flags {
		if flag == "array" || flag == "polymorphic" {
			words = append(words, flag)
		}
	}
	return strings.Join(words, " ")
}

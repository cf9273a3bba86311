// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"log"
	"strings"
)

const (
	xsi = "http://www.w3.org/2001/XMLSchema-instance"
	vim = "urn:vim25"
)

type element struct {
	name     xml.Name
	attr     []xml.Attr
	children []*element
	text     string
}

func parse(page []byte) *element {
	d := xml.NewDecoder(bytes.NewReader(page))
	root := &element{}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root.children[0]
		} else if err != nil {
			log.Fatal(err)
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name, attr: t.Copy().Attr}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

// shuffle changes the order of children, but not the order in a list.
func (f *filler) shuffle(e *element) {
	var names []string
	byName := map[string][]*element{}
	for _, child := range e.children {
		if byName[child.name.Local] == nil {
			names = append(names, child.name.Local)
		}
		byName[child.name.Local] = append(byName[child.name.Local], child)
		f.shuffle(child)
	}
	if f.Intn(2) == 0 {
		f.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
	}
	var mixed []*element
	for len(mixed) < len(e.children) { // elements of lists are distributed: a b a c a
		for _, name := range names {
			if n := len(byName[name]); n > 0 {
				take := 1 + f.Intn(n)
				mixed = append(mixed, byName[name][:take]...)
				byName[name] = byName[name][take:]
			}
		}
	}
	e.children = mixed
}

func escape(b *bytes.Buffer, s string) {
	if err := xml.EscapeText(b, []byte(s)); err != nil {
		log.Fatal(err)
	}
}

func (f *filler) writeText(b *bytes.Buffer, s string) {
	if len(s) > 1 && f.Intn(3) == 0 && !strings.Contains(s, "]]>") && !strings.Contains(s, "\r") {
		cut := f.Intn(len([]rune(s)))
		runes := []rune(s)
		b.WriteString("<![CDATA[" + string(runes[:cut]) + "]]><!-- - -->")
		escape(b, string(runes[cut:]))
		return
	}
	escape(b, s)
}

// write writes an element with its own prefixes, and with blanks and comments where they have no meaning.
func (f *filler) write(b *bytes.Buffer, e *element) {
	prefix := map[string]string{vim: "v:"}[e.name.Space]
	b.WriteString("<" + prefix + e.name.Local)
	if e.name.Local == "Envelope" {
		b.WriteString(` xmlns:v="` + vim + `" xmlns:i="` + xsi + `" xmlns:s="http://www.w3.org/2001/XMLSchema"`)
	}
	for _, a := range e.attr {
		if a.Name.Space == xsi {
			b.WriteString(` i:type='` + strings.Replace(a.Value, "xsd:", "s:", 1) + "'")
		} else if a.Name.Space == "" && a.Name.Local == "type" {
			b.WriteString(" type=\"")
			escape(b, a.Value)
			b.WriteString(`"`)
		}
	}
	b.WriteString(">")
	if len(e.children) == 0 {
		f.writeText(b, e.text)
	}
	for _, child := range e.children {
		b.WriteString([]string{"", "\n  ", "<!-- <key>1</key> -->", "<?pi x?>"}[f.Intn(4)])
		f.write(b, child)
	}
	b.WriteString("</" + prefix + e.name.Local + " >")
}

// disguise writes the same page in another form.
func (f *filler) disguise(page []byte) []byte {
	root := parse(page)
	for _, event := range root.children[0].children[0].children {
		f.shuffle(event)
	}
	var b bytes.Buffer
	f.write(&b, root)
	return b.Bytes()
}

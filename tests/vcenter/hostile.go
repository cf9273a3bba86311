// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

var letters = strings.Repeat("a", 10000)

// hostileText is open, unit until there are size bytes, close. In a unit @ is a number that was not there before, # a
// row of 10,000 letters.
func hostileText(open, unit, close string, size int) []byte {
	var b bytes.Buffer
	put := func(text string, n int) {
		b.WriteString(strings.Replace(strings.Replace(text, "@", "a"+strconv.Itoa(n), -1), "#", letters, -1))
	}
	put(open, 0)
	for n := 1; unit != "" && b.Len() < size; n++ {
		put(unit, n)
	}
	put(close, 0)
	return b.Bytes()
}

// splice replaces what is in the reply from i up to the next such tag.
func (a *answer) splice(i int, tag string, with []byte) {
	body := a.body.Bytes()
	j := -1
	if i >= 0 {
		j = bytes.Index(body[i:], []byte(tag))
	}
	if j < 0 {
		return
	}
	a.body = *bytes.NewBuffer(bytes.Join([][]byte{body[:i], with, body[i+j:]}, nil))
}

// hostile: an event (the first one, without a key) with members that no vCenter sends.
func hostile(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	const created = "</createdTime>"
	a := next()
	start := 0
	if f.key != "" {
		start = a.event(f.key)
	}
	if i := bytes.Index(a.body.Bytes()[start:], []byte(created)); i >= 0 {
		a.splice(start+i+len(created), "</returnval>", f.hostile)
	}
	a.send(w, r)
}

// noKey: an event without key and createdTime.
func noKey(w http.ResponseWriter, r *http.Request, next func() *answer, f *fault) {
	a := next()
	a.splice(a.event(f.key), "<userName>", nil)
	a.send(w, r)
}

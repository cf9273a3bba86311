// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

var apiVersion = regexp.MustCompile(`<apiVersion>[^<]*</apiVersion>`)

// versions are those of the API that this vCenter takes, its own first. Without any it takes all, and lists what the
// simulator lists.
type versions struct {
	sync.Mutex
	list  []string
	file  bool            // whether it has vimServiceVersions.xml
	asked map[string]bool // versions of the calls that came
}

const versionFile = "/sdk/vimServiceVersions.xml"

func (v *versions) set(list string, file bool) {
	v.Lock()
	defer v.Unlock()
	v.list, v.file, v.asked = nil, file, map[string]bool{}
	if list != "" {
		v.list = strings.Split(list, ",")
	}
}

// serveVersions answers a GET of the list. A fault can befall it, too, as the method vimServiceVersions.xml.
func (f *front) serveVersions(w http.ResponseWriter, r *http.Request) {
	if x := f.take("vimServiceVersions.xml", r.RemoteAddr); x == nil {
		f.serveList(w, r)
	} else if do, ok := kinds[x.kind]; ok {
		do(w, r, func() *answer { a := &answer{header: http.Header{}, code: http.StatusOK}; f.serveList(a, r); return a }, x)
	} else {
		code, _ := strconv.Atoi(x.kind)
		http.Error(w, "simulated "+x.kind, code)
	}
}

func (f *front) serveList(w http.ResponseWriter, r *http.Request) {
	v := &f.versions
	v.Lock()
	defer v.Unlock()
	if !v.file {
		http.NotFound(w, r)
		return
	}
	if v.list == nil {
		f.soap.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8" ?><namespaces version="1.0"><namespace><name>urn:vim2</name><version>2.0</version>`+
		`</namespace><namespace><name>urn:vim25</name><version>`+v.list[0]+`</version><priorVersions>`)
	for _, prior := range v.list[1:] {
		fmt.Fprint(w, "<version>"+prior+"</version>")
	}
	fmt.Fprint(w, "</priorVersions></namespace></namespaces>")
}

// refuse answers a call of a version that is not in the list, as vCenter does.
func (v *versions) refuse(w http.ResponseWriter, r *http.Request) bool {
	action := strings.Trim(r.Header.Get("SOAPAction"), `"`)
	version := strings.TrimPrefix(action, "urn:vim25/")
	v.Lock()
	v.asked[version] = true
	known := v.list == nil
	for _, one := range v.list {
		known = known || one == version
	}
	v.Unlock()
	if known {
		return false
	}
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>`+
		`<faultcode>soapenv:VersionMismatchFaultCode</faultcode><faultstring>Unsupported version URI &quot;urn:vim25/%s&quot;</faultstring>`+
		`</soapenv:Fault></soapenv:Body></soapenv:Envelope>`, version)
	return true
}

// own puts the first of the list where the service content tells the version.
func (v *versions) own(a *answer) {
	v.Lock()
	defer v.Unlock()
	if v.list != nil {
		body := apiVersion.ReplaceAll(a.body.Bytes(), []byte("<apiVersion>"+v.list[0]+"</apiVersion>"))
		a.body = *bytes.NewBuffer(body)
	}
}

func (c *control) setVersions(w http.ResponseWriter, r *http.Request) {
	c.front.versions.set(r.FormValue("list"), r.FormValue("file") != "0")
}

// SPDX-License-Identifier: Apache-2.0

// Reads HTTP requests, one JSON object in each line: {"headers": {...}, "body": "base64"}, and writes the result of
// CloudEvents' Go SDK for each: the event in structured form, or {"error": ...}.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type request struct {
	Headers map[string]string
	Body    []byte
}

func receive(line []byte) ([]byte, error) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, err
	}
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(r.Body)))
	event, err := binding.ToEvent(context.Background(), message)
	if err != nil {
		return nil, err
	}
	if err := event.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(event)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		out, err := receive(lines.Bytes())
		if err != nil {
			out, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		fmt.Println(string(out))
	}
}

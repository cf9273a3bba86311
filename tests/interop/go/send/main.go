// SPDX-License-Identifier: Apache-2.0

// Like send.js, with the Go SDK and its own client. The mode "batch" sends {"events": [...]}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type request struct {
	Mode   string
	Event  cloudevents.Event
	Events []cloudevents.Event
}

func send(client cloudevents.Client, url string, line []byte) (int, error) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return 0, err
	}
	if r.Mode == "batch" {
		return sendBatch(url, r.Events)
	}
	ctx := cloudevents.ContextWithTarget(context.Background(), url)
	if r.Mode == "structured" {
		ctx = binding.WithForceStructured(ctx)
	} else {
		ctx = binding.WithForceBinary(ctx)
	}
	result := client.Send(ctx, r.Event)
	var answer *cehttp.Result
	if cloudevents.ResultAs(result, &answer) {
		return answer.StatusCode, nil
	}
	return 0, result
}

func sendBatch(url string, events []cloudevents.Event) (int, error) {
	request, err := cehttp.NewHTTPRequestFromEvents(context.Background(), url, events)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	answer.Body.Close()
	return answer.StatusCode, nil
}

func main() {
	client, err := cloudevents.NewClientHTTP()
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		status, err := send(client, os.Args[1], lines.Bytes())
		if err != nil {
			text, _ := json.Marshal(map[string]string{"error": err.Error()})
			fmt.Println(string(text))
		} else {
			fmt.Println(status)
		}
	}
}

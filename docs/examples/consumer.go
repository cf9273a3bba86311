// SPDX-License-Identifier: Apache-2.0
// consumer nats://reader-reports:PASSWORD@host:4222 VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

func main() {
	stream, durable, subject := os.Args[2], os.Args[3], os.Args[4]
	js := must(must(nats.Connect(os.Args[1])).JetStream())
	config := &nats.ConsumerConfig{Name: durable, Durable: durable, FilterSubject: subject, AckPolicy: nats.AckExplicitPolicy}
	if len(os.Args) > 5 { // replay from a time; applies only when the durable is created
		since := must(time.Parse(time.RFC3339Nano, os.Args[5]))
		config.DeliverPolicy, config.OptStartTime = nats.DeliverByStartTimePolicy, &since
	}
	must(js.AddConsumer(stream, config))
	sub := must(js.PullSubscribe(subject, durable, nats.Bind(stream, durable)))
	seen := map[[2]any]bool{} // to know them after a restart, keep these keys with your results, no longer than the stream keeps events
	for {
		batch, _ := sub.Fetch(100, nats.MaxWait(30*time.Second)) // an error: no event for 30 s
		for _, msg := range batch {
			var event map[string]any
			must(event, json.Unmarshal(msg.Data, &event))                // a CloudEvent in structured mode
			if key := [2]any{event["source"], event["id"]}; !seen[key] { // an event may come again
				fmt.Println(event["id"], event["subject"], event["data"].(map[string]any)["FullFormattedMessage"])
				seen[key] = true
			}
			msg.Ack() // without an ack within ack_wait, the event is delivered again
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

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
	nc, err := nats.Connect(os.Args[1], nats.CustomInboxPrefix("_INBOX_reader-"+durable))
	check(err)
	js, _ := nc.JetStream()
	config := &nats.ConsumerConfig{Name: durable, Durable: durable, FilterSubject: subject, AckPolicy: nats.AckExplicitPolicy}
	if len(os.Args) > 5 { // replay from a time; applies only when the durable is created
		since, err := time.Parse(time.RFC3339Nano, os.Args[5])
		check(err)
		config.DeliverPolicy, config.OptStartTime = nats.DeliverByStartTimePolicy, &since
	}
	_, err = js.AddConsumer(stream, config)
	check(err)
	sub, err := js.PullSubscribe(subject, durable, nats.Bind(stream, durable))
	check(err)
	for {
		batch, _ := sub.Fetch(100, nats.MaxWait(30*time.Second)) // an error: no event for 30 s
		for _, msg := range batch {
			var event map[string]any
			check(json.Unmarshal(msg.Data, &event)) // a CloudEvent in structured mode
			fmt.Println(event["id"], event["subject"], event["data"].(map[string]any)["FullFormattedMessage"])
			msg.Ack() // without an ack within ack_wait, the event is delivered again
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

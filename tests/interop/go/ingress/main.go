// SPDX-License-Identifier: Apache-2.0

// The ingress of a real Knative Broker (Eventing 1.11), without a cluster: its Brokers are in memory, each with
// the address of a channel on which the test listens. Prints its port.
//
//	ingress namespace/broker=http://127.0.0.1:PORT/ ...
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"knative.dev/eventing/pkg/apis/eventing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/broker"
	"knative.dev/eventing/pkg/broker/ingress"
	listers "knative.dev/eventing/pkg/client/listers/eventing/v1"
)

func brokers(arguments []string) (listers.BrokerLister, error) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc,
		cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, argument := range arguments {
		name, channel, _ := strings.Cut(argument, "=")
		namespace, name, _ := strings.Cut(name, "/")
		b := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		b.Status.Annotations = map[string]string{eventing.BrokerChannelAddressStatusAnnotationKey: channel}
		if err := indexer.Add(b); err != nil {
			return nil, err
		}
	}
	return listers.NewBrokerLister(indexer), nil
}

func main() {
	lister, err := brokers(os.Args[1:])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	logger := zap.NewNop()
	panic(http.Serve(listener, &ingress.Handler{
		Defaulter:    broker.TTLDefaulter(logger, 255),
		Reporter:     ingress.NewStatsReporter("lab", "lab"),
		BrokerLister: lister,
		Logger:       logger,
	}))
}

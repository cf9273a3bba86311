module interop

go 1.19

require (
	github.com/cloudevents/sdk-go/v2 v2.15.2
	knative.dev/eventing v0.38.0
)

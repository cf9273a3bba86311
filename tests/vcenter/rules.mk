# The vCenter simulator: Go, from Debian's golang-go and golang-github-vmware-govmomi-dev, no modules.
sim := build/vcenter-sim

simulator: $(sim) ## build the vCenter simulator of the tests and the demo

$(sim): $(wildcard tests/vcenter/*.go)
	@mkdir -p $(@D); $(call say,GO,tests/vcenter); cd tests/vcenter && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= \
		GOCACHE=$${GOCACHE:-$${HOME:-$(CURDIR)/build}/.cache/go-build} \
		/usr/bin/go build -o $(CURDIR)/$@.tmp . && mv $(CURDIR)/$@.tmp $(CURDIR)/$@

.PHONY: simulator

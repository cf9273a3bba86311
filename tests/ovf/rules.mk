# govmomi's reader of OVF descriptors and its simulator of CreateImportSpec, for test_appliance_image.py.
build/ovf-import: $(wildcard tests/ovf/*.go)
	@mkdir -p $(@D); $(call say,GO,tests/ovf); cd tests/ovf && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= \
		GOCACHE=$${GOCACHE:-$${HOME:-$(CURDIR)/build}/.cache/go-build} \
		/usr/bin/go build -o $(CURDIR)/$@.$$$$ . && mv $(CURDIR)/$@.$$$$ $(CURDIR)/$@ # tests run side by side

# Go's results for proxy variables, for tests/data/proxies.tsv.
build/goproxy: tests/goproxy/main.go
	@mkdir -p $(@D)
	cd tests/goproxy && $(schemas_go) build -o $(CURDIR)/$@.$$$$ . && mv $(CURDIR)/$@.$$$$ $(CURDIR)/$@ # tests run side by side

proxy-table: build/goproxy ## write tests/data/proxies.tsv: the proxy that Go selects for an environment and a URL
	build/goproxy <tests/data/proxies.tsv >build/proxies.tsv && mv build/proxies.tsv tests/data/proxies.tsv

.PHONY: proxy-table

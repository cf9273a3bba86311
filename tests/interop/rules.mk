# make interop: tests against software that Debian 12 does not have. Packages go to build/interop. `make test` uses
# those that it finds there, and skips the tests of missing ones with a reason. Other rules.mk files add to interop_tests.
interop_tests += tests/integration/test_schemas.py tests/integration/test_consumer_examples.py tests/integration/test_k8s.py tests/integration/test_operations.py

build/interop/.npm: tests/interop/package.json
	@mkdir -p $(@D) && cp $< $(@D)/package.json
	npm install --prefix $(@D) --no-audit --no-fund --loglevel=error
	@touch $@

build/interop/.python: tests/interop/requirements.txt
	@mkdir -p $(@D)
	pip3 install --quiet --upgrade --target $(@D)/python --requirement $< 2>$(@D)/pip.log || { cat $(@D)/pip.log; exit 1; }
	@touch $@

# The ingress of a Knative Broker and CloudEvents' Go SDK, by Debian's Go, in their own module: about two
# minutes the first time. Without the module proxy their tests are skipped.
build/interop/.go: $(wildcard tests/interop/go/go.mod tests/interop/go/*/*.go)
	@mkdir -p $(@D)/go && cp -r tests/interop/go/. $(@D)/go/
	@cd $(@D)/go && GO111MODULE=on GOFLAGS=-mod=mod GOCACHE=$${GOCACHE:-$${HOME:-$(CURDIR)/build}/.cache/go-build} \
		/usr/bin/go build -o bin/ ./ingress ./receive ./send && touch ../$(@F) || \
		echo "skipped: the Go programs of tests/interop/go do not build here (is the module proxy reachable?)"

interop_tests += tests/integration/test_knative_receivers.py tests/integration/test_webhook_senders.py

# AWS's own pattern engine. Without a JDK and Maven its test is skipped with a reason.
build/interop/.event-ruler: tests/interop/event-ruler/pom.xml tests/interop/event-ruler/Oracle.java
	@mkdir -p $(@D)/event-ruler
	@if command -v mvn >/dev/null && command -v javac >/dev/null; then \
		mvn --quiet --batch-mode --file $< dependency:copy-dependencies \
			-DoutputDirectory=$(CURDIR)/$(@D)/event-ruler && \
		javac -Xlint:-options -nowarn -d $(@D)/event-ruler -cp '$(@D)/event-ruler/*' $(word 2,$^) && touch $@; \
	else \
		echo "interop: no JDK or no Maven here: event-ruler is left out"; \
	fi

build/interop/.moto:
	@mkdir -p $(@D)
	@if python3 -m venv $(@D)/moto && $(@D)/moto/bin/pip install --quiet 'moto[server]==5.2.5'; then \
		touch $@; \
	else \
		rm -rf $(@D)/moto; echo "interop: no venv or no PyPI here: moto is left out"; \
	fi

interop_tests += tests/integration/test_event_ruler.py tests/integration/test_moto.py

# The scanner of images, for `make scan`: ten minutes and more to build. Go names the experiment that its JSON library takes.
build/interop/bin/trivy:
	@mkdir -p $(@D)
	@GOBIN=$(CURDIR)/$(@D) GO111MODULE=on GOTOOLCHAIN=local GOFLAGS= GOEXPERIMENT=jsonv2 \
		go install -trimpath -ldflags "-s -w" github.com/aquasecurity/trivy/cmd/trivy@v0.74.0 2>build/interop/go.log || \
		{ tail -1 build/interop/go.log; echo "interop: SKIPPED: trivy cannot be built here"; }

# The newest nats-server, for the tests of NATS users, and the nats CLI, for the commands in the docs, if go is new enough.
build/interop/bin/nats-server: module := github.com/nats-io/nats-server/v2@v2.15.2
build/interop/bin/nats: module := github.com/nats-io/natscli/nats@v0.5.1
build/interop/bin/nats-server build/interop/bin/nats:
	@mkdir -p $(@D)
	@GOBIN=$(CURDIR)/$(@D) GO111MODULE=on GOTOOLCHAIN=local GOFLAGS= go install $(module) 2>build/interop/go.log || \
		{ tail -1 build/interop/go.log; echo "interop: SKIPPED: $(module) cannot be built here"; }

# Grafana's schemas of dashboards, as a Go library; its licence is Apache 2.0, that of Grafana itself is not.
build/interop/bin/check-dashboard: $(wildcard tests/interop/dashboard/*)
	@mkdir -p $(@D)
	@cd $(<D) && GO111MODULE=on GOTOOLCHAIN=local GOFLAGS= go build -o $(CURDIR)/$@ . 2>$(CURDIR)/build/interop/go.log || \
		{ tail -1 $(CURDIR)/build/interop/go.log; echo "interop: SKIPPED: the schemas of dashboards cannot be built here"; }

interop-packages: build/interop/bin/check-dashboard
interop_tests += tests/integration/test_dashboard.py

# Go programs that `go install` refuses because of their go.mod. The first build takes five minutes for Kubernetes and two for Compose.
gobuild = tests/interop/gobuild.sh $(1) >build/interop/go.log 2>&1 || \
	{ tail -1 build/interop/go.log; echo "interop: SKIPPED: $(firstword $(1)) cannot be built here"; }
kubernetes := v1.36.3
compose := v2.40.3

build/interop/bin/kube-apiserver build/interop/bin/kubectl &:
	@mkdir -p $(@D)
	@$(call gobuild,k8s.io/kubernetes $(kubernetes) "-X k8s.io/component-base/version.gitVersion=$(kubernetes)" \
		cmd/kube-apiserver cmd/kubectl)
build/interop/bin/etcd:
	@mkdir -p $(@D)
	@$(call gobuild,go.etcd.io/etcd/server/v3 v3.6.16 "" =etcd)
build/interop/docker/cli-plugins/docker-compose:
	@mkdir -p $(@D)
	@$(call gobuild,github.com/docker/compose/v2 $(compose) "-X github.com/docker/compose/v2/internal.Version=$(compose)" \
		cmd=docker-compose)
	@! [ -x build/interop/bin/docker-compose ] || mv build/interop/bin/docker-compose $@

# CustomResourceDefinitions of other projects, for the API server.
build/interop/crds: tests/k8s/crds.txt tests/interop/crds.sh
	@mkdir -p $(@D)
	@tests/interop/crds.sh $< $@ 2>build/interop/go.log || { tail -1 build/interop/go.log; echo "interop: SKIPPED: the definitions cannot be fetched"; }

interop-packages: build/interop/crds

# nsc, which makes the accounts of a NATS in operator mode
build/interop/bin/nsc:
	@mkdir -p $(@D)
	@$(call gobuild,github.com/nats-io/nsc/v2 v2.15.0 "" =nsc)

interop-packages: build/interop/bin/nsc
interop-packages: build/interop/bin/kube-apiserver build/interop/bin/etcd build/interop/docker/cli-plugins/docker-compose
interop_tests += tests/integration/test_kube_apiserver.py tests/integration/test_console_actions.py

# podman's generator of units (quadlet) and the systemd that reads them: Debian 12 has no such podman.
build/interop/podman.tar:
	@mkdir -p $(@D)
	@cd tests/pages && PYTHONPATH=.. $(PYTHON) -c 'import machine; from pathlib import Path; \
		machine.archive(Path("$(CURDIR)/$@"), "trixie", machine.PACKAGES + ",podman,crun")' 2>$(CURDIR)/build/interop/podman.log || \
		{ tail -1 $(CURDIR)/build/interop/podman.log; echo "interop: SKIPPED: no root of Debian 13 with podman can be made here"; }

interop-packages: build/interop/podman.tar
interop_tests += tests/integration/test_function_units.py

# The library of the consumer example in Java.
build/interop/.java: tests/interop/java/pom.xml
	@mkdir -p $(@D)/java
	@if command -v mvn >/dev/null; then \
		mvn --quiet --batch-mode --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)/java && touch $@; \
	else \
		echo "interop: no Maven here: the Java example is left out"; \
	fi

interop-packages: build/interop/.java

# The consumer example in Rust, with its crates: about three minutes the first time.
build/interop/rust/debug/consumer: tests/interop/rust/Cargo.toml docs/examples/consumer.rs
	@mkdir -p $(@D) && sed 's#\.\./\.\./\.\.#$(CURDIR)#' $< >build/interop/rust/Cargo.toml
	@if command -v cargo >/dev/null; then \
		cargo build --quiet --manifest-path build/interop/rust/Cargo.toml --target-dir build/interop/rust 2>build/interop/rust.log || \
			{ tail -1 build/interop/rust.log; echo "interop: SKIPPED: the Rust example cannot be built here"; }; \
	else \
		echo "interop: no cargo here: the Rust example is left out"; \
	fi

interop-packages: build/interop/rust/debug/consumer

# Tools that docs/consumers.md has recipes for. Of Telegraf only the plugins of the recipe are built: all of them take half an hour.
build/interop/bin/telegraf:
	@mkdir -p $(@D)
	@GOBIN=$(CURDIR)/$(@D) GO111MODULE=on GOTOOLCHAIN=local GOFLAGS= go install \
		-tags custom,inputs.nats_consumer,outputs.file,parsers.json_v2,serializers.json \
		github.com/influxdata/telegraf/cmd/telegraf@v1.37.2 2>build/interop/go.log || \
		{ tail -1 build/interop/go.log; echo "interop: SKIPPED: Telegraf cannot be built here"; }

build/interop/.rulebook:
	@mkdir -p $(@D)
	@if command -v java >/dev/null && python3 -m venv $(@D)/rulebook && \
		$(@D)/rulebook/bin/pip install --quiet ansible-rulebook==1.3.2 ansible-core==2.19.14; then touch $@; \
	else \
		rm -rf $(@D)/rulebook; echo "interop: no Java, no venv or no PyPI here: ansible-rulebook is left out"; \
	fi

# Of Filebeat only the inputs of tests/interop/filebeat/main.go: four minutes the first time.
build/interop/bin/filebeat: tests/interop/filebeat/main.go
	@mkdir -p $(@D)
	@$(call gobuild,github.com/elastic/beats/v7 v7.17.29 "" $<=filebeat)

build/interop/.n8n: tests/interop/n8n/package.json tests/interop/n8n/install.sh
	@mkdir -p $(@D)/n8n
	@if tests/interop/n8n/install.sh $(@D)/n8n >$(@D)/n8n.log 2>&1; then touch $@; \
	else tail -1 $(@D)/n8n.log; echo "interop: SKIPPED: n8n cannot be installed here"; fi

interop-packages: build/interop/bin/telegraf build/interop/.rulebook build/interop/bin/filebeat build/interop/.n8n
interop_tests += tests/integration/test_consumer_tools.py tests/integration/test_consumer_webhooks.py

interop-packages: build/interop/bin/nats-server build/interop/bin/nats
interop_tests += tests/integration/test_pages.py # the NATS CLI
interop_tests += tests/integration/test_console_browser.py # axe-core

interop-packages: build/interop/.npm build/interop/.python build/interop/.event-ruler build/interop/.moto build/interop/.go

interop: all simulator unit-tests interop-packages ## tests against other implementations, from npm, PyPI and Go's module proxy
	@echo "interop: SKIPPED: a real OpenFaaS gateway: the module proxy does not serve it; tests/lab/gateway.py stands for it"
	@$(PYTHON) tests/run.py $(interop_tests) && tests/tested.py record interop passed
	@if [ -x build/interop/bin/nats-server ]; then build/interop/bin/nats-server --version && \
		PATH=$(CURDIR)/build/interop/bin:$$PATH $(PYTHON) tests/run.py tests/integration/test_nats_permissions.py tests/integration/test_nats_programs.py \
		tests/integration/test_faults_nats.py tests/integration/test_consumer_examples.py \
		tests/integration/test_hostile_messages.py tests/integration/test_rotation.py; fi
	@if [ -x build/interop/docker/cli-plugins/docker-compose ]; then DOCKER_CONFIG=$(CURDIR)/build/interop/docker \
		COMPOSE="docker compose" $(PYTHON) tests/compose/run.py || [ $$? = 77 ]; fi

.PHONY: interop interop-packages

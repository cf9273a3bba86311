# make install and make deb, with the usual DESTDIR, PREFIX and CROSS.
PREFIX ?= /usr/local
sysconfdir ?= /etc
unitdir ?= $(PREFIX)/lib/systemd/system
strip ?= -s --strip-program=$(CROSS:%=%-)strip
# where the folder docs is published: runbook_url of the alerts
DOCS_URL ?= file://$(PREFIX)/share/doc/vcourier/docs
docdir = $(DESTDIR)$(PREFIX)/share/doc/vcourier
datadir = $(DESTDIR)$(PREFIX)/share/vcourier
mandir = $(DESTDIR)$(PREFIX)/share/man
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir = $(DESTDIR)$(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
completions = $(bashdir) $(zshdir) $(fishdir)
units := $(notdir $(wildcard systemd/*.service))

install: all manuals ## install programs, units, manual pages, documentation; obeys DESTDIR= and PREFIX=/usr/local
	install -d -m 0755 $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(unitdir) \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(docdir)/schemas $(datadir) $(foreach s,1 5 8,$(mandir)/man$(s)) $(completions)
	install -d -m 0750 $(DESTDIR)$(sysconfdir)/vcourier $(DESTDIR)$(sysconfdir)/vcourier/nats/secrets $(DESTDIR)$(sysconfdir)/vcourier/cli \
		$(DESTDIR)$(sysconfdir)/vcourier/functions
	install -d -m 0700 $(DESTDIR)$(sysconfdir)/vcourier/secrets
	install -m 0755 $(strip) $(programs) $(DESTDIR)$(PREFIX)/bin
	install -d -m 0755 $(datadir)/nats-users
	install -m 0644 compose/nats/*.py $(datadir)/nats-users
	chmod 0755 $(datadir)/nats-users/users.py
	ln -sf ../share/vcourier/nats-users/users.py $(DESTDIR)$(PREFIX)/bin/vcourier-nats-users
	for unit in $(units); do sed 's#/usr/bin/vcourier#$(PREFIX)/bin/vcourier#; s#/usr/share/doc#$(PREFIX)/share/doc#' \
		systemd/$$unit > $(DESTDIR)$(unitdir)/$$unit; done
	install -m 0644 systemd/vcourier.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/vcourier.conf
	install -m 0644 systemd/nats.conf $(wildcard schemas/config.schema.json) $(datadir)
	sed -n 's#https://vcourier.example/docs/#$(DOCS_URL)/#; /^  groups:/,$$s/^  //p' k8s/components/monitoring/prometheusrule.yaml > $(datadir)/prometheus-rules.yaml
	install -m 0644 k8s/components/grafana/vcourier.json $(datadir)/grafana-dashboard.json
	chmod 0644 $(datadir)/prometheus-rules.yaml $(DESTDIR)$(unitdir)/*
	for section in 1 5 8; do install -m 0644 $(B)/man/*.$$section $(mandir)/man$$section; done
	install -m 0644 systemd/vcourier-nats-users.8 systemd/vcourier-console.8 $(mandir)/man8
	install -m 0644 $(B)/completion/bash $(bashdir)/vcourier
	install -m 0644 $(B)/completion/zsh $(zshdir)/_vcourier
	install -m 0644 $(B)/completion/fish $(fishdir)/vcourier.fish
	test -e $(DESTDIR)$(sysconfdir)/vcourier/cli.yaml || install -m 0640 systemd/cli.yaml $(DESTDIR)$(sysconfdir)/vcourier
	install -m 0644 $(wildcard *.md) $(docdir)
	sed -i 's#](LICENSE)#](https://www.apache.org/licenses/LICENSE-2.0)#' $(docdir)/*.md
	cp -R --no-preserve=mode,ownership docs $(docdir)
	rm $(docdir)/docs/rules.mk
	install -m 0644 $(filter-out schemas/config.schema.json,$(wildcard schemas/*.json)) schemas/vsphere.table $(docdir)/schemas

# The lock: tests run this in several processes, and the second one finds that nothing is to be done.
deb: ## build/vcourier_VERSION+debRELEASE_ARCH.deb, by debhelper
	@mkdir -p build; flock build/deb.lock $(MAKE) --no-print-directory -s build/deb.txt && cat build/deb.txt

build/deb.txt: $(programs) VERSION README.md $(wildcard debian/* debian/*/* docs/*.md docs/*/* systemd/* schemas/*.json k8s/components/*/* \
		compose/nats/*.py release/deb.sh)
	@tests/deps.sh build-essential debhelper
	@DEB_BUILD_PROFILES=nocheck DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$$(nproc)" release/deb.sh >$@

deb-test: all simulator ## the commands of docs/systemd.md on a new Debian machine with systemd
	@tests/deps.sh debootstrap
	$(PYTHON) tests/pages/systemd.py || [ $$? = 77 ] # 77: skipped, with the reason

.PHONY: install deb deb-test

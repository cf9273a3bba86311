demo: ## run everything on this machine and show events as they arrive; DURATION=20 ends after 20 s with a summary
	@tests/deps.sh $(deb_build) $(deb_run)
	@test -x $(sim) || echo "building: a minute or two the first time"
	@$(MAKE) -s --no-print-directory -j$$(nproc) all simulator
	@exec $(PYTHON) tests/demo/demo.py $(demo_options) $(if $(DURATION),--duration $(DURATION))

console: ## the demo, with the console in your browser; its user and password are printed
	@$(MAKE) --no-print-directory demo demo_options=--browser

run: ## CONFIG=router.yaml: run collector and dispatcher for a real vCenter and backend, and nats-server if none runs
	@test -n "$(CONFIG)" || { echo "make run CONFIG=router.yaml: which file?" >&2; exit 64; }
	@tests/deps.sh $(deb_build) $(deb_run)
	@$(MAKE) -s --no-print-directory -j$$(nproc) all
	@exec $(PYTHON) tests/demo/run.py $(CONFIG) $(if $(DURATION),--duration $(DURATION))

dashboard-picture: ## docs/dashboard.png: the panels of the Grafana dashboard, from a real Prometheus
	@tests/deps.sh $(deb_build) $(deb_run) prometheus python3-matplotlib
	@$(MAKE) -s --no-print-directory -j$$(nproc) all simulator
	@exec $(PYTHON) tests/demo/panels.py docs/dashboard.png $(or $(SECONDS),120)

.PHONY: demo console run dashboard-picture

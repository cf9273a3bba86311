demo: ## all of it on this machine, events as they arrive; DURATION=20 ends by itself with a summary
	@tests/deps.sh $(deb_build) $(deb_run)
	@test -x $(sim) || echo "building: a minute or two the first time"
	@$(MAKE) -s --no-print-directory -j$$(nproc) all simulator
	@exec $(PYTHON) tests/demo/demo.py $(if $(DURATION),--duration $(DURATION))

run: ## CONFIG=router.yaml: collector and dispatcher for a real vCenter and sink, nats-server too if none runs
	@test -n "$(CONFIG)" || { echo "make run CONFIG=router.yaml: which file?" >&2; exit 64; }
	@tests/deps.sh $(deb_build) $(deb_run)
	@$(MAKE) -s --no-print-directory -j$$(nproc) all
	@exec $(PYTHON) tests/demo/run.py $(CONFIG) $(if $(DURATION),--duration $(DURATION))

.PHONY: demo run

# A fleet of simulated vCenters on this machine. `make test` has a small one, test_fleet.py.
fleet: deps ## N=100 vCenters with a load, a storm and faults for SECONDS=120: CPU, memory, calls, and the books of each
	@$(MAKE) --no-print-directory -j$$(nproc) all simulator
	@$(PYTHON) tests/fleet/run.py $(or $(N),100) $(or $(SECONDS),120)

.PHONY: fleet

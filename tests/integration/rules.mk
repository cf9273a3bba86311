cloudevents-sdk: ## install npm's cloudevents into build/npm, for an independent check of our HTTP requests
	@mkdir -p build/npm && cd build/npm && npm install --no-audit --no-fund --silent cloudevents@8

.PHONY: cloudevents-sdk

soak: deps ## MINUTES=n: the fault tests in their long form, then the pipeline under load with random faults
	@$(MAKE) --no-print-directory -j$$(nproc) all simulator
	@VCOURIER_LONG=1 $(PYTHON) tests/run.py tests/integration/test_faults_collector.py
	@MINUTES=$(or $(MINUTES),5) $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/integration/soak.py

.PHONY: soak

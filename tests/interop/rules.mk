# make interop: tests against software that Debian 12 does not have. Packages go to build/interop; `make test` uses
# what it finds there and skips, saying so, what is missing. Other rules.mk files add to interop_tests.
interop_tests += tests/integration/test_schemas.py tests/integration/test_consumer_examples.py tests/integration/test_k8s.py tests/integration/test_operations.py

build/interop/.npm: tests/interop/package.json
	@mkdir -p $(@D) && cp $< $(@D)/package.json
	npm install --prefix $(@D) --no-audit --no-fund --loglevel=error
	@touch $@

build/interop/.python: tests/interop/requirements.txt
	@mkdir -p $(@D)
	pip3 install --quiet --upgrade --target $(@D)/python --requirement $< 2>$(@D)/pip.log || { cat $(@D)/pip.log; exit 1; }
	@touch $@

interop-packages: build/interop/.npm build/interop/.python
	@tests/deps.sh prometheus

interop: all simulator unit-tests interop-packages ## tests against other implementations, from npm, PyPI and Go's module proxy
	@$(PYTHON) tests/run.py $(interop_tests)

.PHONY: interop interop-packages

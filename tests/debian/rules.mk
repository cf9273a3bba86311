# README's commands in a fresh root of a Debian release.
RELEASE ?= trixie

debian-test: ## RELEASE=trixie: demo and unit tests in a fresh root of that Debian; TARGETS=test runs everything there
	@tests/debian/run.sh $(RELEASE) $(TARGETS) || [ $$? = 77 ]

.PHONY: debian-test

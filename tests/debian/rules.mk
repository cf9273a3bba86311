# README's commands in a new root of a Debian release.
RELEASE ?= trixie

debian-test: ## RELEASE=trixie: demo and unit tests in a new root of that Debian; TARGETS=test runs everything
	@tests/debian/run.sh $(RELEASE) $(TARGETS) || [ $$? = 77 ]

.PHONY: debian-test

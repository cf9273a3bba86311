# README's commands in a new root of a Debian release.
RELEASE ?= $(if $(filter bookworm,$(shell . /etc/os-release && echo $$VERSION_CODENAME)),trixie,bookworm)

debian-test: ## demo and unit tests in a new root of the other Debian, or of RELEASE; TARGETS=test runs everything
	@tests/debian/run.sh $(RELEASE) $(TARGETS) || [ $$? = 77 ]

.PHONY: debian-test

# Container images, and the compose stack as users run it.
BASE ?= debian:bookworm-slim

images: ## container images vcourier-collector, vcourier-dispatcher and vcourier-cli; BASE=debian:bookworm-slim
	for target in collector dispatcher cli; do docker build -q -f compose/Dockerfile --build-arg BASE=$(BASE) --build-arg VERSION=$(VERSION) \
		--target $$target -t vcourier-$$target:$(VERSION) -t vcourier-$$target . || exit 1; done

compose-test: ## build the images, run the compose stack, kill every container, scale a dispatcher, check that no event is lost
	@$(PYTHON) tests/compose/run.py || [ $$? = 77 ]

compose-pages: ## the commands of docs/compose.md and docs/functions.md, as they are printed
	@$(PYTHON) tests/compose/run.py pages || [ $$? = 77 ]

.PHONY: images compose-test compose-pages

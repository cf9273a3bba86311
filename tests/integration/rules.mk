cloudevents-sdk: ## npm's cloudevents into build/npm: the independent check of our HTTP requests
	@mkdir -p build/npm && cd build/npm && npm install --no-audit --no-fund --silent cloudevents@8

.PHONY: cloudevents-sdk

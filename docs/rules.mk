docs: $(B)/vcourier ## write docs/configuration.md and schemas/config.schema.json from the option tables
	$(B)/vcourier config --reference > docs/configuration.md
	$(B)/vcourier config --schema | $(PYTHON) -m json.tool --indent 1 > schemas/config.schema.json

.PHONY: docs

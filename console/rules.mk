# The page of the console, compiled into it, with the runbooks of docs/operations.md.
gen.console := build/gen/console/web_files.c
web_files := $(sort $(wildcard web/*.html web/*.css web/*.js web/*.svg)) build/gen/console/runbooks.md

build/gen/console/runbooks.md: docs/operations.md console/rules.mk
	@mkdir -p $(@D); sed -n '/^### Vcourier/,/^## /{/^## /!p;}' $< >$@

build/gen/console/web_files.c: console/embed.sh $(web_files)
	@mkdir -p $(@D); $(call say,GEN,$@); console/embed.sh $(web_files) >$@

# The page of the console, compiled into it.
gen.console := build/gen/console/web_files.c
web_files := $(sort $(wildcard web/*.html web/*.css web/*.js web/*.svg))

build/gen/console/web_files.c: console/embed.sh $(web_files)
	@mkdir -p $(@D); $(call say,GEN,$@); console/embed.sh $(web_files) >$@

# `make fuzz`: each tests/fuzz/*_fuzz.c for FUZZ_SECONDS (libFuzzer, address and undefined behaviour
# sanitizers), starting from the files of tests/fuzz/seeds/<name>/. New finds stay in build/fuzz.
FUZZ_SECONDS ?= 20
fuzz_names := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))

build/fuzz/bin/%: tests/fuzz/%_fuzz.c $(test_archives) Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(test_archives) $(LDLIBS)

fuzz-programs: $(fuzz_names:%=build/fuzz/bin/%)

fuzz: ## feed garbage to every parser, FUZZ_SECONDS each; FUZZ=name picks one
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	@for name in $(or $(FUZZ),$(fuzz_names)); do \
		mkdir -p build/fuzz/corpus/$$name; \
		echo "fuzz $$name"; \
		build/fuzz/bin/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
			-verbosity=0 -artifact_prefix=build/fuzz/$$name- \
			build/fuzz/corpus/$$name $$(ls -d tests/fuzz/seeds/$$name 2>/dev/null) || exit 1; \
	done

.PHONY: fuzz fuzz-programs

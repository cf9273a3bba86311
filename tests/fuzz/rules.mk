# Fuzz targets: tests/fuzz/<name>_fuzz.c, for libFuzzer with the address and undefined behaviour sanitizers. HACKING.md says how to
# add one. VARIANT=fuzz builds them into build/fuzz/bin, VARIANT=coverage with line coverage into build/coverage/bin.
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2
fuzz_names   := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
fuzz_helpers := $(patsubst tests/fuzz/%.c,$(B)/bin/%.o,$(filter-out %_fuzz.c,$(wildcard tests/fuzz/*.c)))
# what is answered instead of the network and the clock: by tests/fuzz/fuzz_bus.c, and by one target
fuzz_wrapped := bus_request bus_publish bus_flush bus_subscribe bus_clustered bus_max_payload bus_msg_free stop_sleep clock_monotonic_ms \
	natsMsg_GetSubject natsMsg_GetReply natsMsg_GetData natsMsg_GetDataLength natsMsgHeader_Get natsMsgHeader_Values natsMsgHeader_Keys
fuzz_wrapped.addressable     := kube_load
fuzz_wrapped.aws_credentials := helper_running helper_check
fuzz_wrapped.http_reply      := curl_easy_getinfo
fuzz_wrapped.printable       := writev
fuzz_wrapped.horizon         := http_perform
fuzz_wrapped.vim             := http_perform http_submit http_run

$(fuzz_helpers): $(B)/bin/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) -c $< -o $@

$(fuzz_names:%=$(B)/bin/%): $(B)/bin/%: tests/fuzz/%_fuzz.c $(fuzz_helpers) $(test_archives) Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) $(LDFLAGS) -fsanitize=fuzzer \
		$(patsubst %,-Wl$(comma)--wrap=%,$(fuzz_wrapped) $(fuzz_wrapped.$*)) -o $@ $< $(fuzz_helpers) $(test_archives) $(LDLIBS)

fuzz-programs: $(fuzz_names:%=$(B)/bin/%)

fuzz: ## feed garbage to every parser, FUZZ_SECONDS each, FUZZ_JOBS at a time; FUZZ="name..." picks
	@$(MAKE) --no-print-directory -j$$(nproc) VARIANT=fuzz fuzz-programs
	@printf '%s\n' $(or $(FUZZ),$(fuzz_names)) | xargs -P $(FUZZ_JOBS) -I{} tests/fuzz/run.sh {} $(FUZZ_SECONDS)

fuzz-merge: ## add to tests/fuzz/corpus what `make fuzz` found and what reaches new code; FUZZ="name..." picks
	@$(MAKE) --no-print-directory -j$$(nproc) VARIANT=fuzz fuzz-programs
	@printf '%s\n' $(or $(FUZZ),$(fuzz_names)) | xargs -P $(FUZZ_JOBS) -I{} tests/fuzz/merge.sh {}

fuzz-coverage: ## a table: how much of each parser tests/fuzz/corpus reaches; 90 % at least
	@tests/deps.sh llvm
	@$(MAKE) --no-print-directory -j$$(nproc) VARIANT=coverage fuzz-programs
	@$(PYTHON) tests/fuzz/fuzz_coverage.py $(FUZZ)

.PHONY: fuzz fuzz-programs fuzz-merge fuzz-coverage

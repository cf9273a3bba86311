# Benchmarks: each measures a thing and what it is compared with in one run, and prints ratios.
bench_programs := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

$(B)/bench/%: tests/bench/%.c $(test_archives) Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(foreach d,$(see.tests),-iquote $(d)) $(LDFLAGS) -o $@ $< $(test_archives) $(LDLIBS)

bench: deps ## figures as ratios, measured in one run on this machine; BENCH=collector picks one
	@$(MAKE) --no-print-directory -j$$(nproc) all simulator $(bench_programs)
	@$(PYTHON) tests/bench/run.py $(BENCH)

.PHONY: bench

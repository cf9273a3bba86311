# Benchmarks: each measures a value and its baseline in one run, and prints the ratio.
bench_programs := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

$(B)/bench/%: tests/bench/%.c $(test_archives) Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) $(LDFLAGS) -o $@ $< $(test_archives) $(LDLIBS)

$(B)/bench/allocations.so: tests/bench/preload/allocations.c Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(warnings) -O2 -fPIC -shared -o $@ $<

# AGAINST: measures this and another checkout side by side, in alternating rounds. What is linked with the product is built there, too.
bench_of_product := build/release/bench/normalize_pages build/release/bench/pattern_loop

bench: deps ## benchmarks as ratios, measured in one run on this machine; BENCH=collector selects one, AGAINST=../other compares another checkout
	@$(MAKE) --no-print-directory -j$$(nproc) all simulator $(bench_programs) $(B)/bench/allocations.so build/bench/page-1000.xml
	@$(if $(AGAINST),$(MAKE) --no-print-directory -C $(AGAINST) -j$$(nproc) VARIANT=release all $(bench_of_product))
	@$(PYTHON) tests/bench/run.py $(if $(AGAINST),--against $(AGAINST)) $(BENCH)

.PHONY: bench

build/bench/page-1000.xml: tests/bench/page.py tests/data/soap/read-next-24-classes.xml
	@mkdir -p $(@D)
	$(PYTHON) $^ 1000 >$@

bench-normalize: $(B)/bench/normalize_pages build/bench/page-1000.xml ## pages to JSON against a bare libxml2 parse of the same bytes
	$^

.PHONY: bench-normalize

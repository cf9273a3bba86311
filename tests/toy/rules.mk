# The dispatcher with toy backends instead of ours, for tests/integration/test_processor_contract.py. It is built with the
# unit tests and is not part of the product.
toy := $(B)/vcourier-toy-dispatcher

$(B)/toy/%.o: tests/toy/%.c Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) -c $< -o $@

# toy.o contains a list of backends, so the linker does not use that of the archive
$(toy): $(B)/dispatcher/main.o $(B)/toy/toy.o $(B)/toy/faults.o $(call links,dispatcher)
	@$(call say,LD,$@); $(CC) $(LDFLAGS) -Wl,--wrap=job_set_tried,--wrap=job_make_ready -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

unit-tests: $(toy)

# Static analysis of the product: gcc -fanalyzer, then clang-tidy with .clang-tidy. A file is analysed again when it or a header of it
# has changed. STATIC_ANALYSIS: see lib/base/err.h. Without optimisation gcc warns of other things (VARIANT=debug); -S spares
# the assembler. The unit tests are compiled so, too.
lint_defines := $(filter -D% -I%,$(filter-out -D_FORTIFY_SOURCE%,$(CFLAGS)))
lint_flags   := -std=c11 -pthread -DSTATIC_ANALYSIS $(lint_defines)
debug_flags  := $(warnings) $(filter -O%,$(opt.debug)) -pthread $(lint_defines) -S -o /dev/null

define lint_rules
build/lint/$(1)/%.ok: $(1)/%.c .clang-tidy Makefile tests/lint/rules.mk | $(gen.$(1))
	@mkdir -p $$(@D); $$(call say,LINT,$$<)
	@gcc -fanalyzer -Werror -O2 $$(lint_flags) $(includes) -MMD -MP -MF $$(@:.ok=.d) -MT $$@ -c -o /dev/null $$<
	@gcc $$(debug_flags) $(includes) $$<
	@clang-tidy --quiet $$< -- $$(lint_flags) $(includes) >$$(@:.ok=.log) 2>&1 || { cat $$(@:.ok=.log); exit 1; }
	@touch $$@
endef
$(foreach f,$(folders),$(eval $(call lint_rules,$(f))))

build/lint/tests/%.ok: tests/%.c Makefile tests/lint/rules.mk
	@mkdir -p $(@D); $(call say,LINT,$<)
	@gcc $(debug_flags) $(includes.tests) -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@

lint: $(patsubst %.c,build/lint/%.ok,$(wildcard tests/unit/*.c))
lint: $(foreach f,$(folders),$(patsubst %.c,build/lint/%.ok,$(wildcard $(f)/*.c))) ## static analysis: gcc -fanalyzer and clang-tidy

.PHONY: lint
-include $(shell find build/lint -name '*.d' 2>/dev/null)

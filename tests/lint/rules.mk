# Static analysis of the product: gcc -fanalyzer, then clang-tidy with .clang-tidy. A file is analysed again when it or a header of it
# has changed. STATIC_ANALYSIS: see lib/base/err.h.
lint_flags := -std=c11 -pthread -DSTATIC_ANALYSIS $(filter -D% -I%,$(filter-out -D_FORTIFY_SOURCE%,$(CFLAGS)))

define lint_rules
build/lint/$(1)/%.ok: $(1)/%.c .clang-tidy Makefile tests/lint/rules.mk | $(gen.$(1))
	@mkdir -p $$(@D); $$(call say,LINT,$$<)
	@gcc -fanalyzer -Werror -O2 $$(lint_flags) $(includes) -MMD -MP -MF $$(@:.ok=.d) -MT $$@ -c -o /dev/null $$<
	@clang-tidy --quiet $$< -- $$(lint_flags) $(includes) >$$(@:.ok=.log) 2>&1 || { cat $$(@:.ok=.log); exit 1; }
	@touch $$@
endef
$(foreach f,$(folders),$(eval $(call lint_rules,$(f))))

lint: $(foreach f,$(folders),$(patsubst %.c,build/lint/%.ok,$(wildcard $(f)/*.c))) ## static analysis: gcc -fanalyzer and clang-tidy

.PHONY: lint
-include $(shell find build/lint -name '*.d' 2>/dev/null)

# vcourier: vCenter events to Knative, OpenFaaS and AWS EventBridge over NATS.
#
# The architecture: which folder sees which. Each folder, less its main.c, is one archive; its list is
# its include path and its link line, so a wrong dependency does not compile or does not link.
#
#   vCenter --SOAP--> collector --CloudEvent--> NATS JetStream --CloudEvent--> dispatcher --HTTP--> backend
#
see.lib/base    := lib/base
see.lib/config  := lib/config lib/base
see.lib/http    := lib/http lib/base
see.lib/bus     := lib/bus lib/base
see.lib/event   := lib/event lib/base
see.lib/pattern := lib/pattern lib/base
see.lib/daemon  := lib/daemon lib/bus lib/event lib/pattern lib/http lib/config lib/base
lib             := $(see.lib/daemon)
see.schemas     := schemas $(lib)
see.collector   := collector schemas $(lib)
see.processors  := processors $(lib)
see.dispatcher  := dispatcher processors $(lib)
see.operator    := operator schemas dispatcher processors $(lib)
see.console     := console operator schemas dispatcher processors $(lib)
see.cli         := cli operator collector schemas dispatcher processors $(lib)
see.tests       := tests/unit dispatcher console cli operator collector schemas processors $(lib)

folders   := $(lib) schemas collector processors dispatcher operator console cli
main.collector  := vcourier-collector
main.dispatcher := vcourier-dispatcher
main.console    := vcourier-console
main.cli        := vcourier

VERSION := $(file <VERSION)
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# ---- variants: make VARIANT=asan|tsan|clang|debug|fuzz|coverage; each builds into a folder of its own
VARIANT ?= release
# CROSS: the GNU name of another architecture, such as aarch64-linux-gnu; EMULATOR runs its programs: the tests, and vcourier for the manual pages.
CROSS ?=
prefix := $(CROSS:%=%-)
EMULATOR ?= $(if $(CROSS),qemu-$(firstword $(subst -, ,$(CROSS))))
machine := $(firstword $(subst -, ,$(or $(CROSS),$(shell uname -m))))
B := build/$(VARIANT)$(CROSS:%=-%)

CC.release := $(prefix)gcc
CC.debug   := gcc
CC.clang   := clang
CC.asan    := clang
CC.tsan    := clang
CC.fuzz    := clang
CC.coverage := clang
CC := $(CC.$(VARIANT))

warnings := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough -Wpointer-arith \
	-Wno-missing-braces -Wno-missing-field-initializers -Wno-format-nonliteral -Werror
cpu.x86_64  := -fcf-protection=full
cpu.aarch64 := -mbranch-protection=standard
hardened := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	$(cpu.$(machine)) -fno-strict-overflow -fno-delete-null-pointer-checks -ffile-prefix-map=$(CURDIR)=.
opt.release := $(hardened) -ftrivial-auto-var-init=zero
opt.clang   := $(hardened) -ftrivial-auto-var-init=pattern
opt.debug   := -O0 -g3
opt.asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all
opt.tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
opt.fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow \
	-fno-sanitize-recover=all
opt.coverage := -O0 -g -fprofile-instr-generate -fcoverage-mapping
packages := libcurl libxml-2.0 libcjson yaml-0.1 openssl libmicrohttpd
CFLAGS  := $(warnings) $(opt.$(VARIANT)) -fPIE -fvisibility=hidden -pthread -MMD -MP \
	-DVCOURIER_VERSION='"$(VERSION)"' $(shell $(prefix)pkg-config --cflags $(packages) 2>/dev/null)
LDFLAGS := $(filter -fsanitize% -fprofile%,$(opt.$(VARIANT))) -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack \
	-Wl,--as-needed -pthread
LDLIBS  := -lnats $(shell $(prefix)pkg-config --libs $(packages) 2>/dev/null) -lcrypt -lm

# One short line for each file; `make V=1` shows the whole command, `make -s` nothing.
silent := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(V),set -x,$(if $(silent),:,echo '$(1) $(2)$(if $(filter-out release,$(VARIANT)), ($(VARIANT)))'))

# ---- objects, archives, programs
sources   = $(wildcard $(1)/*.c) $(gen.$(1))
objects   = $(patsubst %.c,$(B)/%.o,$(patsubst build/gen/%,gen/%,$(filter-out %/main.c,$(call sources,$(1)))))
archive   = $(B)/$(1).a
includes  = $(foreach d,$(see.$(1)),-iquote $(d))
links     = $(foreach d,$(see.$(1)),$(call archive,$(d)))
programs := $(foreach f,$(folders),$(if $(wildcard $(f)/main.c),$(B)/$(main.$(f))))

include $(wildcard schemas/rules.mk console/rules.mk)

all: $(programs) ## build the four programs into build/release

define folder_rules
$(B)/$(1)/%.o: $(1)/%.c Makefile VERSION | $(gen.$(1))
	@mkdir -p $$(@D); $$(call say,CC,$$<); $$(CC) $$(CFLAGS) $(includes) -c $$< -o $$@
$(B)/gen/$(1)/%.o: build/gen/$(1)/%.c Makefile VERSION
	@mkdir -p $$(@D); $$(call say,CC,$$<); $$(CC) $$(CFLAGS) $(includes) -c $$< -o $$@
$(call archive,$(1)): $(call objects,$(1))
	@mkdir -p $$(@D); rm -f $$@; $$(call say,AR,$$@); $(prefix)ar rcsD $$@ $$^
endef
define program_rules
$(B)/$(main.$(1)): $(B)/$(1)/main.o $(call links,$(1))
	@$$(call say,LD,$$@); $$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(LDLIBS)
endef
$(foreach f,$(folders),$(eval $(call folder_rules,$(f))))
$(foreach f,$(folders),$(if $(main.$(f)),$(eval $(call program_rules,$(f)))))

# ---- tests
unit_sources := $(wildcard tests/unit/*_test.c)
unit_tests   := $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_sources))
includes.tests := $(call includes,tests)
# The tests in ThreadSanitizer need less than all, and what they do not need is not built for them.
test_folders   := $(if $(filter tsan,$(VARIANT)),,cli) console operator dispatcher processors collector schemas $(lib)
test_archives  := $(foreach f,$(test_folders),$(call archive,$(f)))

unit_helpers := $(patsubst tests/unit/%.c,$(B)/unit/%.o,$(filter-out $(unit_sources),$(wildcard tests/unit/*.c)))
$(unit_helpers): $(B)/unit/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) -c $< -o $@

# what a test answers itself, in the place of the bus, the network and the clock: functions that its linker replaces
comma := ,
settle_lab := bus_connected bus_max_payload bus_publish bus_reconnects bus_request bus_subscribe clock_monotonic_ms clock_wall_us \
	ack_flush_add ack_flush_slots refresh_want sink_deliver
unit_wrapped.ack_flush_test  := bus_flush http_wakeup
unit_wrapped.backlog_test    := $(settle_lab)
unit_wrapped.body_fetch_test := $(settle_lab) sources_is_gone sources_origin stream_find
unit_wrapped.collect_trouble_test := publisher_stats
unit_wrapped.deliver_test    := $(settle_lab) http_submit
unit_wrapped.evict_test      := $(settle_lab)
unit_wrapped.retry_test      := $(settle_lab) http_submit
unit_wrapped.settle_test     := $(settle_lab)

$(B)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(unit_helpers) $(test_archives) Makefile
	@mkdir -p $(@D); $(call say,CC,$<); $(CC) $(CFLAGS) $(includes.tests) $(LDFLAGS) \
		$(patsubst %,-Wl$(comma)--wrap=%,$(unit_wrapped.$*)) -o $@ $< $(unit_helpers) $(test_archives) -lcmocka $(LDLIBS)

.PRECIOUS: $(B)/unit/%
unit-tests: $(unit_tests)

unit-check: unit-tests ## run the unit tests of one variant, with EMULATOR if CROSS is set
	@failed=; for test in $(unit_tests); do \
		$(EMULATOR) $$test >$$test.log 2>&1 || { cat $$test.log; failed="$$failed $${test##*/}"; }; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }
	@echo "$(words $(unit_tests)) unit test programs passed ($(notdir $(B)))"

threaded_tests := ack_flush_test bus_test console_live_test http_test http_tls_test inbox_test publisher_ids_test publisher_test status_test tail_test # where threads meet: in ThreadSanitizer too

PYTHON ?= /usr/bin/python3
export PYTHON

# ---- Debian packages: what is needed to build, run and test
deb_build := gcc make pkg-config libc6-dev libnats-dev libcurl4-openssl-dev libxml2-dev libcjson-dev libyaml-dev \
	libssl-dev libmicrohttpd-dev libcrypt-dev
deb_run   := nats-server golang-go golang-github-vmware-govmomi-dev openssl ca-certificates python3
deb_test  := libcmocka-dev clang libclang-rt-dev clang-format clang-tidy valgrind python3 python3-pytest python3-pytest-xdist \
	python3-jsonschema python3-yaml python3-botocore golang-github-nats-io-go-nats-dev build-essential dpkg-dev nginx nftables openssh-client strace systemd debhelper mandoc lintian zsh fish prometheus xorriso debsecan

deps: ## install the Debian packages that are missing (no-op otherwise)
	@tests/deps.sh $(deb_build) $(deb_run) $(deb_test)

test: deps ## static analysis, unit and integration tests; ends with "N passed, N failed"
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-tests simulator
	@$(if $(TESTS),,$(unit_variants))
	@$(if $(TESTS),,$(MAKE) --no-print-directory -j$$(nproc) lint)
	@$(PYTHON) tests/run.py $(TESTS)

unit: deps ## the unit tests alone, also with sanitizers and in valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-tests
	@$(unit_variants)
	@$(PYTHON) tests/run.py unit

# Each says what it skips here. Goes on after a failure, and ends with the list of what failed.
everything := test debian-test fuzz-coverage interop cluster-test cluster-test-projects release-test
check-all: ## everything that can be tested on this machine; hours
	@failed=; for name in $(everything); do \
		echo "check-all: $$name, $$(date +%T)"; \
		VCOURIER_COMPOSE=1 VCOURIER_SYSTEMD=1 VCOURIER_FUZZ=1 $(MAKE) --no-print-directory $$name TARGETS=test || failed="$$failed $$name"; \
	done; echo "check-all: failed:$${failed:- none}"; [ -z "$$failed" ]

tested: ## write docs/tested.md from what test runs recorded in build/tested
	@tests/tested.py page

define unit_variants
$(MAKE) --no-print-directory -j$$(nproc) VARIANT=asan unit-tests && \
$(MAKE) --no-print-directory -j$$(nproc) VARIANT=tsan $(addprefix build/tsan/unit/,$(threaded_tests)) && \
$(MAKE) --no-print-directory -j$$(nproc) VARIANT=fuzz fuzz-programs
endef

include $(filter-out schemas/rules.mk console/rules.mk,$(wildcard */rules.mk tests/*/rules.mk))

format_sources = $(shell git ls-files '*.c' '*.h' | grep -v '^docs/examples/')

format: ## clang-format over all C; make test fails where that would change something
	@clang-format -i $(format_sources)

clean: ## remove everything that was built
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile $(wildcard */rules.mk */*/rules.mk) | sort | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: all unit-tests unit-check deps test check-all tested format unit clean help
-include $(shell find $(B) -name '*.d' 2>/dev/null)

# The entry point of the images. Static, so that it listens at once, and only where images are made: sanitizers cannot be linked so.
$(B)/vcourier-listen: compose/vcourier-listen.c lib/daemon/listener.h $(call archive,lib/daemon) $(call archive,lib/base) compose/rules.mk
	@$(call say,LD,$@); $(CC) $(filter-out -fPIE -MMD -MP,$(CFLAGS)) -iquote lib/daemon -iquote lib/base -static -o $@ $(filter %.c %.a,$^)

all: $(if $(filter release,$(VARIANT)),$(B)/vcourier-listen)

# Manual pages and shell completion, from the tables of the command lines: build/VARIANT/man and build/VARIANT/completion.
page_date = $(shell date -u -d "@$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}" +%F)

manuals: $(B)/man/done $(B)/completion/done ## manual pages and shell completion, into build/release

$(B)/man/done: $(B)/vcourier
	@mkdir -p $(@D); rm -f $(@D)/*; $(call say,MAN,$(@D)); for page in $$($(EMULATOR) $(B)/vcourier manual); do \
		$(EMULATOR) $(B)/vcourier manual --date $(page_date) $$page > $(@D)/$$page || exit 1; done; touch $@

$(B)/completion/done: $(B)/vcourier
	@mkdir -p $(@D); for shell in bash zsh fish; do $(EMULATOR) $(B)/vcourier completion $$shell > $(@D)/$$shell || exit 1; done; touch $@

.PHONY: manuals

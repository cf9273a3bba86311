#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The archive that this machine's packages come from, as apt knows it; not its security or updates part, which hold a few
# packages only. Nothing where apt has no list of one.
# shellcheck disable=SC2016
apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' |
	awk '$3 == "main" && $2 !~ /-/ { print $1; exit }'

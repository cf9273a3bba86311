#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the archive that this machine's packages come from, according to apt. Ignores the security and updates suites, which contain
# few packages. Prints nothing if apt has no list of an archive.
# shellcheck disable=SC2016
apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' |
	awk '$3 == "main" && $2 !~ /-/ { print $1; exit }'

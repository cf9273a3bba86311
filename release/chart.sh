#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chart.sh FILE.tgz: the Helm chart as an archive, with the files that its symbolic links name. SOURCE_DATE_EPOCH is the time of all files.
set -eu
file=${1:?usage: chart.sh FILE.tgz}
tar -C "$(dirname "$0")/../helm" --dereference --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:?}" --mode=u=rwX,go=rX -cf - vcourier |
	gzip -9n >"$file"

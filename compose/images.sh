#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images.sh DIRECTORY PROGRAMS: the root file systems of all images of vcourier, DIRECTORY/collector and so on, with the programs in the directory PROGRAMS.
set -eu
directory=${1:?usage: images.sh DIRECTORY PROGRAMS}
programs=${2:?usage: images.sh DIRECTORY PROGRAMS}
image() {
	name=$1
	shift
	"$(dirname "$0")/image.sh" "$directory/$name" "$@"
}
image collector "$programs/vcourier-collector" "$programs/vcourier-listen"
image dispatcher "$programs/vcourier-dispatcher" "$programs/vcourier-listen"
image cli "$programs/vcourier"
image console "$programs/vcourier-console" "$programs/vcourier"

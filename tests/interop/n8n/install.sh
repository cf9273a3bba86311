#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh FOLDER: n8n with a Node.js of its own, from npm, in FOLDER/node_modules. No script of a package runs but that of sqlite3,
# which is compiled. Took 10 and 14 minutes on a busy machine with two cores; 3 GB.
set -eu
cp "$(dirname "$0")/package.json" "$1"
cd "$1"
timeout 1200 npm install --ignore-scripts --no-audit --no-fund --loglevel=error
node=$(echo "$PWD"/node_modules/node-linux-*)
PATH=$node/bin:$PATH npm_config_nodedir=$node npm_config_build_from_source=true timeout 600 npm rebuild sqlite3 --loglevel=error
rm -f node && ln -s "${node#"$PWD"/}/bin/node" node
./node node_modules/n8n/bin/n8n --version

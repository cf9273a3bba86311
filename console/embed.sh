#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh FILE...: writes the C source that holds these files.
set -eu
export LC_ALL=C
printf '// SPDX-License-Identifier: Apache-2.0\n/* Written by console/embed.sh. */\n#include "web_files.h"\n\n'
n=0
for file in "$@"; do
	printf 'static const char file_%d[] = {\n' $n
	od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/'"'\\\\x\\1'"',/g'
	printf "'\\\\0' };\n\n"
	n=$((n + 1))
done
printf 'const struct web_file web_files[] = {\n'
n=0
for file in "$@"; do
	case $file in
	*.html) type='text/html; charset=utf-8' ;;
	*.css) type='text/css; charset=utf-8' ;;
	*.js) type='text/javascript; charset=utf-8' ;;
	*.svg) type='image/svg+xml' ;;
	*.md) type='text/plain; charset=utf-8' ;;
	esac
	printf '\t{ "/%s", "%s", file_%d, sizeof(file_%d) - 1 },\n' "$(basename "$file")" "$type" $n $n
	n=$((n + 1))
done
printf '};\nconst size_t web_n_files = %d;\nconst char web_etag[] = "\\"%s\\"";\n' $n "$(cat "$@" | cksum | tr ' ' '-')"

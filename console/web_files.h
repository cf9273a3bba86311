// SPDX-License-Identifier: Apache-2.0
/* The files of web/, compiled in: console/embed.sh writes the table. */
#ifndef VCOURIER_WEB_FILES_H
#define VCOURIER_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *path, *type; /* "/app.js", its Content-Type */
	const char *data;
	size_t len;
};

extern const struct web_file web_files[];
extern const size_t web_n_files;
extern const char web_etag[]; /* of all of them, with its quotes */

#endif

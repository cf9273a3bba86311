// SPDX-License-Identifier: Apache-2.0
/* Texts of other files as YAML that is read as the same text. */
#ifndef VCOURIER_IMPORT_YAML_H
#define VCOURIER_IMPORT_YAML_H

#include "buf.h"

/* Of all that one file may contribute. */
enum { IMPORT_TEXT_MAX = 8 * 1024 * 1024 };

/*
 * Appends the text in single quotes, where nothing is special but the quote, and no ${NAME} is
 * replaced. Line ends become blanks, and characters that YAML does not have U+FFFD.
 */
void import_yaml_quoted(struct buf *out, const char *text);

/* Appends `before`, the text in quotes, and a line end. */
void import_yaml_value(struct buf *out, const char *before, const char *text);

/*
 * The same with the line ends of the text, such as PEM. Blanks around a line are lost. `before`
 * begins with its indentation.
 */
void import_yaml_lines(struct buf *out, const char *before, const char *text);

#endif

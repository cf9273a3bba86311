// SPDX-License-Identifier: Apache-2.0
/*
 * What the option tables give besides parsing: the effective values, the reference page, the
 * schema, --help.
 */
#ifndef VCOURIER_CONFIG_PRINT_H
#define VCOURIER_CONFIG_PRINT_H

#include "buf.h"
#include "config.h"

/*
 * The values of a bound struct as YAML, every default included, `indent` blanks before each
 * line. Secrets come out as "***", their files by name; what is not set is left out, as are
 * NODE rows.
 */
void config_print(
	const struct config_field *fields, const void *bound, int indent, struct buf *out);

/*
 * A text as a YAML value that is read back as just that; but the user and password of a URL are
 * shown as ***.
 */
void config_print_text(const char *text, struct buf *out);

/*
 * The next three walk a table down to its leaves. A NODE row with `fields` is documented as an
 * OBJECT, with item_size too as a list of them.
 */

/* Markdown: a table row per option, a heading per block. */
void config_reference(const struct config_field *fields, struct buf *out);

/* JSON Schema (2020-12) of the file that this is the table of; title: what it says it is. */
void config_schema(const struct config_field *fields, const char *title, struct buf *out);

/* A line or two per option, for --help; prefix: "vcenter." */
void config_help(const struct config_field *fields, const char *prefix, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Other uses of the option tables: the effective values, the reference page, the schema,
 * --help.
 */
#ifndef VCOURIER_CONFIG_PRINT_H
#define VCOURIER_CONFIG_PRINT_H

#include "buf.h"
#include "config.h"

/*
 * The values of a bound struct as YAML, every default included, `indent` spaces before each
 * line. Secrets are printed as "***", their files by name; unset options and NODE rows are
 * omitted.
 */
void config_print(
	const struct config_field *fields, const void *bound, int indent, struct buf *out);

/*
 * A string as a YAML value that is read back unchanged; user and password of a URL are shown as
 * ***.
 */
void config_print_text(const char *text, struct buf *out);

/*
 * The next three functions follow a table down to its leaves. A NODE row with `fields` is
 * documented as an OBJECT; with item_size, as a list of them.
 */

/* Markdown: a table row per option, a heading per block. */
void config_reference(const struct config_field *fields, struct buf *out);

/* JSON Schema (2020-12) of the file that this table describes. */
void config_schema(const struct config_field *fields, const char *title, struct buf *out);

/*
 * Calls fn for each option: its path in the file, "duration, 1s to 1h; default 5s", and its help.
 */
typedef void config_on_option(void *ctx, const char *name, const char *type, const char *help);
void config_each(
	const struct config_field *fields, const char *prefix, config_on_option *fn, void *ctx);

/* A line or two per option, for --help; prefix: "vcenter." */
void config_help(const struct config_field *fields, const char *prefix, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration: YAML to structs, driven by tables. One row per option gives its parsing,
 * default, bounds, help, JSON Schema and documentation.
 *
 * A file is read in two steps. config_load makes a tree of nodes that remember line and column.
 * config_bind fills a struct from a node by a table; it reports every error, not just the
 * first: router.yaml:14:5: eventProcessor.knative.encoding: must be one of binary, structured,
 * got "xml"
 */
#ifndef VCOURIER_CONFIG_H
#define VCOURIER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "secret.h"

enum config_type {       /* the C type at `offset` */
	CONFIG_STRING,   /* char *; NULL when unset and no default */
	CONFIG_BOOL,     /* bool; true, True, TRUE and so on */
	CONFIG_INT,      /* int64_t, in [min, max] */
	CONFIG_DURATION, /* int64_t, milliseconds; text_duration forms */
	CONFIG_SIZE,     /* int64_t, bytes; text_size forms */
	CONFIG_ENUM,     /* int; index into choices */
	/* char **, NULL-terminated, NULL when unset; one string is a list of one */
	CONFIG_STRINGS,
	CONFIG_MAP,     /* char **, NULL-terminated, key and value alternating */
	CONFIG_SECRET,  /* struct secret; key "password" also reads "passwordFile" */
	CONFIG_OBJECT,  /* a struct in place, described by `fields` */
	CONFIG_OBJECTS, /* struct config_list: a list of such structs of item_size bytes */
	CONFIG_JSON,    /* char *; any YAML value, as JSON text (for patterns) */
	/* const struct config_node *; bound later by the code that has its table */
	CONFIG_NODE,
	/*
	 * char *, made by `custom`: a value with several forms; `fields` are its mapping form
	 */
	CONFIG_CUSTOM,
};

struct config_list {
	void *items; /* n structs of the row's item_size, in file order */
	size_t n;
};

struct config_node;
struct config_errors;

enum {
	CONFIG_REQUIRED = 1 << 0,
	/* accepted for compatibility without effect: warns; help says why */
	CONFIG_IGNORED = 1 << 1,
	/* a string: http:// or https:// with a host, CONFIG_URL_MAX bytes at most */
	CONFIG_URL = 1 << 2,
	CONFIG_FILE = 1 << 3,     /* a string: a path */
	CONFIG_INSECURE = 1 << 4, /* a bool that weakens security: warns when true */
	/* a string: IP:port to listen on; [::]:port and localhost:port too */
	CONFIG_BIND = 1 << 5,
	/* not a secret, but may come from a file like one: an access key id */
	CONFIG_INLINE = 1 << 6,
};

struct config_field {
	const char *key; /* NULL ends a table */
	enum config_type type;
	size_t offset;
	unsigned flags;
	const char *def;  /* default, as written in a file; NULL: none */
	int64_t min, max; /* INT, DURATION (ms), SIZE (bytes); max 0: no upper bound */
	const char *const *choices;        /* ENUM: NULL-terminated */
	const struct config_field *fields; /* OBJECT, OBJECTS */
	size_t item_size;                  /* OBJECTS */
	int (*custom)(
		const struct config_node *node, void *field, struct config_errors *errors);
	const char *help; /* one or two sentences; Markdown allowed */
};

enum {
	CONFIG_FILE_MAX = 1024 * 1024,
	CONFIG_DEPTH_MAX = 32,
	CONFIG_ERRORS_MAX = 20,
	CONFIG_URL_MAX = 2048, /* backends have twice as much room for what they make of it */
};

struct config; /* a loaded file */

/* Collected errors and warnings, "file:line:col: path: reason" each. */
struct config_errors {
	struct buf text;     /* errors, one a line */
	struct buf warnings; /* one a line */
	size_t n, n_warnings;
	size_t n_insecure; /* CONFIG_INSECURE options that are true */
};
void config_errors_init(struct config_errors *errors);
void config_errors_free(struct config_errors *errors);
/*
 * Adds an error (or warning) at a node; the message names the node's path. Never quote a
 * secret.
 */
void config_error(struct config_errors *errors, const struct config_node *node, const char *fmt,
	...) ERR_PRINTF(3, 4);
void config_warning(struct config_errors *errors, const struct config_node *node,
	const char *fmt, ...) ERR_PRINTF(3, 4);

/* Adds what `from` has, or its errors as warnings. */
void config_errors_add(struct config_errors *errors, const struct config_errors *from);
void config_errors_add_as_warnings(
	struct config_errors *errors, const struct config_errors *from);

/* For "did you mean": set text, pass every candidate, read best (NULL: none is similar). */
struct config_suggestion {
	const char *text, *best;
	unsigned distance;
};
void config_suggest(struct config_suggestion *s, const char *candidate);

/*
 * ${NAME} and ${NAME:-default} in a value are replaced from the environment, except in single
 * quotes; in a CONFIG_SECRET only if it is the whole value. If NAME is not set, using the value
 * is an error. An empty value, ~ or null counts as an absent key.
 */

/* Sorts the errors by line. */
void config_errors_sort(struct config_errors *errors);

/*
 * Reads the file and checks the YAML: a regular file, at most 1 MiB, one document, depth at
 * most 32, no anchors, aliases, tags or duplicate keys, valid UTF-8. On failure *config is NULL
 * and errors has the reasons.
 */
int config_load(struct config **config, const char *path, struct config_errors *errors);
/*
 * The same for a file that is written for Kubernetes: it may have several documents, and
 * `${NAME}` in it is ordinary text.
 */
int config_load_manifest(
	struct config **config, const char *path, struct config_errors *errors);
/* The document after `last`, the first for NULL; NULL: there is no further one. */
const struct config_node *config_next_document(
	const struct config *config, const struct config_node *last);
void config_free(struct config *config);
const char *config_file_path(const struct config *config); /* as given to config_load */
/*
 * From now on paths in values that are not absolute are relative to the directory of this file,
 * not to the working directory. Set it before config_bind.
 */
void config_set_beside(struct config *config);
const struct config_node *config_root(const struct config *config);
/*
 * Whether two files have the same values, in the same order. except: keys of the top level that
 * do not count; NULL-terminated, or NULL.
 */
bool config_same(const struct config *a, const struct config *b, const char *const *except);

/*
 * Access to the tree, for checks that a table cannot express. NULL is fine and gives NULL or 0.
 */
const struct config_node *config_get(const struct config_node *map, const char *key);
const struct config_node *config_item(const struct config_node *list, size_t i);
size_t config_length(const struct config_node *node);
const char *config_text(const struct config_node *node); /* a scalar's text; NULL otherwise */

/*
 * Fills *out, zeroed first, from a mapping. Unknown keys are errors with a suggestion. NULL:
 * the block is absent: all defaults, nothing required (nor in optional blocks inside it that
 * are absent). A required string must not be empty. Returns -1 when it added errors; release
 * *out in that case, too.
 */
int config_bind(const struct config_node *map, const struct config_field *fields, void *out,
	size_t out_size, struct config_errors *errors);

/* Only the check of the keys: unknown ones are errors, with a suggestion. map is a mapping. */
void config_check_keys(const struct config_node *map, const struct config_field *fields,
	struct config_errors *errors);

void config_release(
	const struct config_field *fields, void *out); /* Frees what config_bind filled. */

#endif

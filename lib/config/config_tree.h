// SPDX-License-Identifier: Apache-2.0
/*
 * The tree behind config.h, built from libyaml's events. Only the files of lib/config use its
 * details.
 */
#ifndef VCOURIER_CONFIG_TREE_H
#define VCOURIER_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "config.h"

/* bounds memory, and the quadratic search for duplicate keys */
enum { CONFIG_NODES_MAX = 16 * 1024 };

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct config_node {
	enum node_kind kind;
	int line, column; /* from 1 */
	const struct config *config;
	struct config_node *parent;
	STAILQ_ENTRY(config_node) link;                     /* in the parent's children */
	STAILQ_HEAD(config_children, config_node) children; /* in file order */
	size_t n;                                           /* children */
	size_t index;                                       /* in the parent list */
	char *key;  /* in the parent map; NULL: not in one */
	char *text; /* SCALAR */
	/* SCALAR without quotes (or from the environment): may be a number or a boolean */
	bool plain;
	bool quoted;   /* SCALAR in double quotes, where a backslash begins an escape */
	bool from_env; /* ${NAME} was replaced in it */
	/* the text as it is in the file, if it has more than one ${NAME} alone; else NULL */
	char *literal;
	char *env_unset; /* the unset variable that ${NAME} refers to */
};

struct config {
	char *path;
	/* written for Kubernetes: several documents, and ${NAME} is ordinary text */
	bool manifest;
	struct config_children documents; /* their roots */
	bool beside;                      /* see config_set_beside */
	struct config_node *nodes;        /* pages that are not used take no memory */
	size_t n_nodes, nodes_max;
};

/* Parses text (valid UTF-8 without NUL, borrowed) into config->nodes; errors go to errors. */
int config_tree_parse(
	struct config *config, const char *text, size_t len, struct config_errors *errors);

/* An error at a place that has no node. */
struct config_place {
	const char *file; /* NULL: the message names it */
	int line, column; /* from 1 on; line 0: unknown */
};
void config_error_at(struct config_errors *errors, struct config_place place, const char *fmt,
	...) ERR_PRINTF(3, 4);

/* Appends the path of a node to out: "eventProcessors[0].knative.encoding". */
void config_path(const struct config_node *node, struct buf *out);

/*
 * A value as a message may show it: escaped, cut, user info in a URL hidden. buf of about 80
 * bytes.
 */
const char *config_quote(const char *text, char *buf, size_t size);

/*
 * The path in a value; with config_set_beside one that is not absolute is relative to the
 * directory of its file. The caller's.
 */
char *config_resolve(const struct config_node *node, const char *path);

/* A size as a file may have it: 1048576 -> "1MiB"; returns buf. */
const char *config_size_str(int64_t bytes, char *buf, size_t size);

/*
 * Converts a scalar to the C value of the row's type; errors are reported at node.
 * (config_value.c)
 */
int config_value(const struct config_node *node, const struct config_field *field, void *out,
	struct config_errors *errors);

/* The node as JSON text. (config_json.c) */
int config_json(const struct config_node *node, char **out, struct config_errors *errors);

#endif

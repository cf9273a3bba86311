// SPDX-License-Identifier: Apache-2.0
/* Loads a configuration file into a tree. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_tree.h"
#include "file.h"
#include "directory.h"
#include "mem.h"
#include "text.h"

/* libyaml reports line 1 for these, wherever they are. */
static int
check_bytes(const char *path, const char *text, size_t len, struct config_errors *errors)
{
	size_t bad = text_utf8_valid(text, len), i;
	const char *nul = memchr(text, '\0', len);
	int line = 1, column = 1;

	if (nul != NULL && (size_t)(nul - text) < bad)
		bad = (size_t)(nul - text);
	if (bad == len)
		return 0;
	for (i = 0; i < bad; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	config_error_at(errors, (struct config_place){ path, line, column }, "%s",
		text[bad] == '\0' ? "a NUL byte: this is not a text file" : "not UTF-8");
	return -1;
}

static int
load(struct config **config, const char *path, bool manifest, struct config_errors *errors)
{
	struct config *c = NULL;
	struct file_info info;
	struct buf text;
	struct err err;
	int rc = -1;

	*config = NULL;
	buf_init(&text, CONFIG_FILE_MAX);
	if (file_read(path, &text, &info, &err) != 0) {
		config_error_at(errors, (struct config_place){ NULL, 0, 0 }, "%s", err.text);
		goto done;
	}
	if (check_bytes(path, buf_str(&text), text.len, errors) != 0)
		goto done;
	c = mem_alloc(sizeof(*c));
	c->path = mem_strdup(path);
	c->manifest = manifest;
	STAILQ_INIT(&c->documents);
	/* each has a byte of its own in the text, but for the root of an empty one */
	c->nodes_max = text.len + 1 < CONFIG_NODES_MAX ? text.len + 1 : CONFIG_NODES_MAX;
	c->nodes = mem_array(c->nodes_max, sizeof(*c->nodes));
	rc = config_tree_parse(c, buf_str(&text), text.len, errors);
	if (rc == 0 && info.world_writable)
		config_warning(errors, config_root(c),
			"every user of this machine may change this file: chmod o-w");
done:
	mem_wipe(text.data, text.len); /* the text may contain passwords */
	buf_free(&text);
	if (rc == 0)
		*config = c;
	else
		config_free(c);
	return rc;
}

int
config_load(struct config **config, const char *path, struct config_errors *errors)
{
	return load(config, path, false, errors);
}

int
config_load_manifest(struct config **config, const char *path, struct config_errors *errors)
{
	return load(config, path, true, errors);
}

const char *
config_file_path(const struct config *config)
{
	return config->path;
}

void
config_set_beside(struct config *config)
{
	config->beside = true;
}

char *
config_resolve(const struct config_node *node, const char *path)
{
	return node->config->beside ? directory_beside(node->config->path, path)
				    : mem_strdup(path);
}

void
config_free(struct config *config)
{
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config->n_nodes; i++) {
		free(config->nodes[i].key);
		free(config->nodes[i].env_unset);
		mem_free_secret(config->nodes[i].text);
		mem_free_secret(config->nodes[i].literal);
	}
	free(config->nodes);
	free(config->path);
	free(config);
}

// SPDX-License-Identifier: Apache-2.0
/* Loads a configuration file into a tree. */
#define _POSIX_C_SOURCE 200809L
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_tree.h"
#include "mem.h"
#include "text.h"

/* Reads at most max bytes of a regular file; not a FIFO, not a device, which would block or
 * never end. */
static int
read_file(const char *path, struct buf *out, bool *anyone_writes, struct config_errors *errors)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t n = 0;
	char *room;

	if (fd < 0 || fstat(fd, &st) != 0) {
		config_error_at(errors, path, 0, 0, "%s", strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		config_error_at(errors, path, 0, 0, "%s",
			S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
		goto fail;
	}
	*anyone_writes = (st.st_mode & S_IWOTH) != 0;
	while ((room = buf_room(out, 64 * 1024)) != NULL && (n = read(fd, room, 64 * 1024)) > 0)
		buf_grew(out, (size_t)n);
	if (n < 0) {
		config_error_at(errors, path, 0, 0, "%s", strerror(errno));
		goto fail;
	}
	if (room == NULL || out->len > CONFIG_FILE_MAX) {
		config_error_at(errors, path, 0, 0, "larger than 1 MiB");
		goto fail;
	}
	close(fd);
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* libyaml gives line 1 for these, whatever the line. */
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
	config_error_at(errors, path, line, column, "%s",
		text[bad] == '\0' ? "a NUL byte: this is not a text file" : "not UTF-8");
	return -1;
}

int
config_load(struct config **config, const char *path, struct config_errors *errors)
{
	struct config *c = NULL;
	bool anyone_writes;
	struct buf text;
	int rc = -1;

	*config = NULL;
	buf_init(&text, CONFIG_FILE_MAX + 128 * 1024);
	if (read_file(path, &text, &anyone_writes, errors) != 0 ||
		check_bytes(path, buf_str(&text), text.len, errors) != 0)
		goto done;
	c = mem_alloc(sizeof(*c));
	c->path = mem_strdup(path);
	c->nodes = mem_array(CONFIG_NODES_MAX, sizeof(*c->nodes));
	rc = config_tree_parse(c, buf_str(&text), text.len, errors);
	if (rc == 0 && anyone_writes)
		config_warning(errors, config_root(c),
			"every user of this machine may change this file: chmod o-w");
done:
	mem_wipe(text.data, text.len); /* passwords may stand in it */
	buf_free(&text);
	if (rc == 0)
		*config = c;
	else
		config_free(c);
	return rc;
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
	}
	free(config->nodes);
	free(config->path);
	free(config);
}

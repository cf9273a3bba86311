// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* flock */
#include "function_site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "directory.h"
#include "exit_status.h"
#include "functions_directory.h"
#include "hash.h"
#include "mem.h"
#include "text.h"

enum { PATH_BYTES_MAX = 4096, PROCESSORS_MAX = 1000 };

static char *
joined(const char *a, const char *b, const char *c)
{
	struct buf path;

	buf_init(&path, 3 * PATH_BYTES_MAX);
	buf_printf(&path, "%s%s%s", a, b, c);
	return buf_take(&path, NULL);
}

char *
function_site_path(const struct function_site *site, const char *path)
{
	return joined(site->root, path, "");
}

char *
function_site_unit_file(const char *name)
{
	return joined(FUNCTION_UNITS "/" FUNCTION_UNIT_PREFIX, name, ".container");
}

char *
function_site_secrets(const char *name)
{
	return joined(FUNCTION_SECRETS "/function@", name, "");
}

char *
function_site_document(const struct function_site *site, const char *name)
{
	struct buf path;

	buf_init(&path, 3 * PATH_BYTES_MAX);
	buf_printf(&path, "%s/%s.yaml", site->directory, name);
	return buf_take(&path, NULL);
}

/* ---- the configuration */

static bool
is_wanted(const struct config_node *processor, const char *dispatcher)
{
	const char *type = config_text(config_get(processor, "type")),
		   *name = config_text(config_get(processor, "name"));

	return type != NULL && strcmp(type, "functions") == 0 &&
		(dispatcher == NULL || (name != NULL && strcmp(name, dispatcher) == 0));
}

/* The block of the backend; NULL: there is none, or more than one. */
static const struct config_node *
find_block(const struct config_node *root, const char *dispatcher, struct config_errors *errors)
{
	const struct config_node *found = config_get(root, "eventProcessor"), *one,
				 *list = config_get(root, "eventProcessors");
	size_t n = is_wanted(found, dispatcher);

	if (n == 0)
		found = NULL;
	for (size_t i = 0; i < PROCESSORS_MAX && (one = config_item(list, i)) != NULL; i++)
		if (is_wanted(one, dispatcher)) {
			found = one;
			n++;
		}
	if (n == 0)
		config_error(errors, root,
			"has no eventProcessor of type functions%s%s: docs/functions.md",
			dispatcher != NULL ? " with the name " : "",
			dispatcher != NULL ? dispatcher : "");
	else if (n > 1)
		config_error(errors, root,
			"has several eventProcessors of type functions: --dispatcher NAME");
	return n == 1 ? config_get(found, "functions") : NULL;
}

static void
read_block(struct function_site *site, const struct config_node *block,
	struct config_errors *errors)
{
	const char *directory = config_text(config_get(block, "directory")),
		   *broker = config_text(config_get(block, "broker"));

	if (directory == NULL || directory[0] != '/' || strlen(directory) > PATH_BYTES_MAX)
		config_error(errors, block, "directory must be a path that begins with /");
	else
		site->directory = mem_strdup(directory);
	site->broker = mem_strdup(broker != NULL ? broker : "default");
}

struct function_rules
function_site_rules(const struct function_site *site)
{
	return (struct function_rules){ .broker = site->broker,
		.service_url = "http://127.0.0.1:{port}/" };
}

/* What the directory has. Files that the dispatcher leaves out do not count. */
static void
read_directory(struct function_site *site)
{
	static const char *const suffixes[] = { ".yaml", ".yml", ".json", NULL };
	struct function_rules rules = function_site_rules(site);
	char *path = function_site_path(site, site->directory);
	struct directory files;

	function_set_free(&site->set);
	function_set_init(&site->set);
	if (directory_read(&files, path, suffixes, FUNCTIONS_FILES_MAX, NULL) == 0) {
		for (size_t i = 0; i < files.n && files.bytes <= FUNCTIONS_BYTES_MAX; i++)
			function_manifest_read(&site->set, path, files.name[i], &rules, NULL);
		directory_free(&files);
	}
	free(path);
}

int
function_site_open(struct function_site *site, const struct function_flags *flags)
{
	struct config_errors errors;
	struct config *config;
	char *path;

	*site = (struct function_site){ .root = flags->root != NULL ? flags->root : "",
		.lock = -1 };
	function_set_init(&site->set);
	path = flags->config != NULL ? mem_strdup(flags->config)
				     : function_site_path(site, "/etc/vcourier/config.yaml");
	config_errors_init(&errors);
	if (config_load(&config, path, &errors) == 0) {
		const struct config_node *block = find_block(
			config_root(config), flags->dispatcher, &errors);

		if (errors.n == 0)
			read_block(site, block, &errors);
		config_free(config);
	}
	fputs(buf_str(&errors.text), stderr);
	if (errors.n == 0)
		read_directory(site);
	free(path);
	config_errors_free(&errors);
	return site->directory != NULL ? EXIT_NOT_YET : EXIT_CONFIG;
}

void
function_site_close(struct function_site *site)
{
	if (site->lock >= 0)
		close(site->lock);
	function_set_free(&site->set);
	free(site->directory);
	free(site->broker);
	*site = (struct function_site){ .lock = -1 };
}

int
function_site_lock(struct function_site *site, struct err *err)
{
	char *path = function_site_path(site, site->directory);
	int rc = 0;

	site->lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (site->lock < 0 || flock(site->lock, LOCK_EX) != 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	free(path);
	if (rc == 0)
		read_directory(site);
	return rc;
}

/* ---- ports */

static int
port_of_url(const char *url)
{
	static const char ours[] = "http://127.0.0.1:";
	int64_t port;
	char digits[6];
	size_t n;

	if (!text_starts(url, ours))
		return 0;
	url += sizeof(ours) - 1;
	n = strspn(url, "0123456789");
	if (n == 0 || n >= sizeof(digits))
		return 0;
	memcpy(digits, url, n);
	digits[n] = '\0';
	return text_int(digits, FUNCTION_PORT_FIRST, FUNCTION_PORT_FIRST + FUNCTION_PORTS - 1,
		       &port)
		? (int)port
		: 0;
}

int
function_site_port_of(const struct function_site *site, const char *name)
{
	for (size_t i = 0; i < site->set.n; i++)
		if (strcmp(site->set.entry[i]->name, name) == 0)
			return port_of_url(site->set.entry[i]->url);
	return 0;
}

static bool
is_given(const struct function_site *site, const char *name, int port)
{
	for (size_t i = 0; i < site->set.n; i++)
		if (strcmp(site->set.entry[i]->name, name) != 0 &&
			port_of_url(site->set.entry[i]->url) == port)
			return true;
	return false;
}

static bool
is_free(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool ok;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ok = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return ok;
}

int
function_site_port(const struct function_site *site, const char *name, bool runs,
	const struct function_ports *taken)
{
	int own = function_site_port_of(site, name);
	uint64_t first = hash_fnv1a(HASH_FNV1A, name, strlen(name));

	if (own != 0 && (runs || is_free(own)))
		return own;
	for (uint64_t i = 0; i < FUNCTION_PORTS; i++) {
		int port = FUNCTION_PORT_FIRST + (int)((first + i) % FUNCTION_PORTS);
		bool used = is_given(site, name, port);

		for (size_t k = 0; k < taken->n && !used; k++)
			used = taken->port[k] == port;
		if (!used && is_free(port))
			return port;
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * kubeconfig: clusters, users, and contexts that pair them.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
#include "base64.h"
#include "directory.h"
#include "kube.h"

#include <stdlib.h>
#include <string.h>

#include "http_proxy.h"
#include "mem.h"
#include "text.h"

enum { ENTRIES_MAX = 10000, PEM_BYTES_MAX = 1024 * 1024 };

/* A file that is being read: its path, because it may contain relative paths. */
struct kubeconfig_source {
	const char *path;
	const struct config_node *root;
};

/* The entry with this name in a list: the `what` ("cluster") of a "clusters" list. */
static const struct config_node *
entry(const struct kubeconfig_source *s, const char *list, const char *what, const char *name,
	struct err *err)
{
	const struct config_node *entries = config_get(s->root, list);
	size_t n = config_length(entries);

	for (size_t i = 0; name != NULL && i < n && i < ENTRIES_MAX; i++) {
		const struct config_node *item = config_item(entries, i);
		const char *is = config_text(config_get(item, "name"));

		if (is != NULL && strcmp(is, name) == 0)
			return config_get(item, what);
	}
	err_set(err, ERR_CONFIG, "%s: no %s named %s", s->path, what,
		name != NULL ? name : "(none given)");
	return NULL;
}

/* The path of a file that the kubeconfig names; NULL: it names none. */
static char *
path_of(const struct kubeconfig_source *s, const char *file)
{
	return file == NULL ? NULL : directory_beside(s->path, file);
}

/* The "...-data" members: base64 of a PEM file. */
static int
decode(const struct kubeconfig_source *s, const struct config_node *map, const char *key,
	char **out, struct err *err)
{
	const char *text = config_text(config_get(map, key));
	size_t len = text == NULL ? 0 : strlen(text);
	struct buf pem;

	*out = NULL;
	if (len == 0)
		return 0;
	buf_init(&pem, PEM_BYTES_MAX);
	/*
	 * the whole size at once: a buffer that grows leaves copies of the key in freed memory
	 */
	buf_room(&pem, len / 4 * 3 + 1);
	if (!base64_decode(&pem, text, len) || strstr(buf_str(&pem), "-----BEGIN") == NULL) {
		mem_wipe(pem.data, pem.len);
		buf_free(&pem);
		return err_set(
			err, ERR_CONFIG, "%s: %s is not base64-encoded PEM", s->path, key);
	}
	*out = buf_take(&pem, NULL);
	return 0;
}

static int
take_cluster(struct kube *kube, const struct kubeconfig_source *s,
	const struct config_node *cluster, struct err *err)
{
	const char *server = config_text(config_get(cluster, "server"));
	const char *insecure = config_text(config_get(cluster, "insecure-skip-tls-verify"));
	const char *proxy = config_text(config_get(cluster, "proxy-url"));
	struct http_proxy parsed;
	size_t len = server == NULL ? 0 : strlen(server);

	if (len == 0 || (!text_starts(server, "https://") && !text_starts(server, "http://")))
		return err_set(
			err, ERR_CONFIG, "%s: the cluster's server is not a URL", s->path);
	if (len > CONFIG_URL_MAX)
		return err_set(err, ERR_CONFIG,
			"%s: the cluster's server is longer than %d bytes", s->path,
			CONFIG_URL_MAX);
	while (server[len - 1] == '/')
		len--;
	if (config_get(cluster, "tls-server-name") != NULL)
		return err_set(
			err, ERR_CONFIG, "%s: tls-server-name is not supported", s->path);
	kube->server = mem_strndup(server, len);
	kube->ca_file = path_of(s, config_text(config_get(cluster, "certificate-authority")));
	if (proxy != NULL && *proxy != '\0') {
		if (http_proxy_parse(&parsed, proxy, err) != 0)
			return err_wrap(err, "%s: proxy-url", s->path);
		http_proxy_free(&parsed);
		kube->proxy = mem_strdup(proxy);
	}
	if (decode(s, cluster, "certificate-authority-data", &kube->ca_pem, err) != 0)
		return -1;
	kube->peer.insecure = insecure != NULL && strcmp(insecure, "true") == 0;
	return 0;
}

static int
take_user(struct kube *kube, const struct kubeconfig_source *s, const struct config_node *user,
	struct err *err)
{
	static const char *const unsupported[] = { "exec", "auth-provider", "username", "as" };
	const char *token = config_text(config_get(user, "token"));
	char *file = path_of(s, config_text(config_get(user, "tokenFile")));
	struct secret secret = { .file = file };

	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
		if (config_get(user, unsupported[i]) != NULL) {
			free(file);
			return err_set(err, ERR_CONFIG,
				"%s: users with `%s` are not supported: use a token, a tokenFile or a "
				"client certificate",
				s->path, unsupported[i]);
		}
	if (file != NULL && secret_read(&secret, &kube->token, err) != 0) {
		free(file);
		return -1;
	}
	free(file);
	if (kube->token == NULL)
		kube->token = mem_strdup(token);
	kube->cert_file = path_of(s, config_text(config_get(user, "client-certificate")));
	kube->key_file = path_of(s, config_text(config_get(user, "client-key")));
	if (decode(s, user, "client-certificate-data", &kube->cert_pem, err) != 0 ||
		decode(s, user, "client-key-data", &kube->key_pem, err) != 0)
		return -1;
	return 0;
}

static int
take_context(
	struct kube *kube, const struct kubeconfig_source *s, const char *name, struct err *err)
{
	const struct config_node *context, *cluster, *user;

	if (name == NULL)
		name = config_text(config_get(s->root, "current-context"));
	context = entry(s, "contexts", "context", name, err);
	if (context == NULL)
		return -1;
	cluster = entry(
		s, "clusters", "cluster", config_text(config_get(context, "cluster")), err);
	if (cluster == NULL)
		return -1;
	user = entry(s, "users", "user", config_text(config_get(context, "user")), err);
	if (user == NULL)
		return -1;
	kube->ns = mem_strdup(config_text(config_get(context, "namespace")));
	return take_cluster(kube, s, cluster, err) != 0 ? -1 : take_user(kube, s, user, err);
}

int
kubeconfig_load(struct kube *kube, const char *path, const char *context, struct err *err)
{
	struct config_errors errors;
	struct config *config;
	struct kubeconfig_source s = { .path = path };
	int result;

	config_errors_init(&errors);
	result = config_load(&config, path, &errors);
	if (result != 0) {
		const char *text = buf_str(&errors.text);

		err_set(err, ERR_CONFIG, "kubeconfig %.*s", (int)strcspn(text, "\n"), text);
	} else {
		s.root = config_root(config);
		result = take_context(kube, &s, context, err);
		if (result != 0)
			err_wrap(err, "kubeconfig");
		config_free(config);
	}
	config_errors_free(&errors);
	kube->peer = (struct http_peer){
		.ca_file = kube->ca_file,
		.ca_pem = kube->ca_pem,
		.ca_only = kube->ca_file != NULL || kube->ca_pem != NULL,
		.cert_file = kube->cert_file,
		.cert_pem = kube->cert_pem,
		.key_file = kube->key_file,
		.key_pem = kube->key_pem,
		.insecure = kube->peer.insecure,
		.proxy = kube->proxy,
	};
	return result;
}

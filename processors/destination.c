// SPDX-License-Identifier: Apache-2.0
/* A Knative destination in the configuration. */
#include "addressable.h"

#include <string.h>

#include "mem.h"
#include "text.h"

/*
 * The event router's form of destination.uri: a Go net/url.URL, with these members as strings.
 */
static const struct config_field uri_fields[] = {
	{ "scheme", CONFIG_STRING, 0, .help = "`http` or `https`." },
	{ "host", CONFIG_STRING, 0, .help = "Host, with `:port` where needed." },
	{ "path", CONFIG_STRING, 0, .help = "Path." },
	{ "rawquery", CONFIG_STRING, 0, .help = "Query, encoded, without the question mark." },
	{ NULL },
};

static bool
known_uri_member(const struct config_node *node, const char *key)
{
	const struct config_node *member = config_get(node, key);

	return member != NULL && config_text(member) != NULL;
}

static int
uri_from_mapping(const struct config_node *node, struct buf *uri, struct config_errors *errors)
{
	const char *path = config_text(config_get(node, "path"));
	size_t known = 0;

	for (const struct config_field *f = uri_fields; f->key != NULL; f++)
		known += known_uri_member(node, f->key);
	if (known != config_length(node)) {
		config_error(errors, node,
			"has keys other than scheme, host, path and rawquery, each a string");
		return -1;
	}
	if (known_uri_member(node, "scheme") != known_uri_member(node, "host") ||
		(!known_uri_member(node, "scheme") && path == NULL)) {
		config_error(errors, node, "needs scheme and host, or, beside a ref, a path");
		return -1;
	}
	if (known_uri_member(node, "scheme"))
		buf_printf(uri, "%s://%s", config_text(config_get(node, "scheme")),
			config_text(config_get(node, "host")));
	if (path != NULL)
		buf_printf(uri, "%s%s", path[0] == '/' ? "" : "/", path);
	if (known_uri_member(node, "rawquery"))
		buf_printf(uri, "?%s", config_text(config_get(node, "rawquery")));
	return 0;
}

static int
bind_uri(const struct config_node *node, void *field, struct config_errors *errors)
{
	const char *text = config_text(node), *host;
	struct buf uri;
	int failed = 0;

	buf_init(&uri, 8 * 1024);
	if (text != NULL)
		buf_add_str(&uri, text);
	else
		failed = uri_from_mapping(node, &uri, errors);
	text = buf_str(&uri);
	host = text_starts(text, "http://")     ? text + 7
		: text_starts(text, "https://") ? text + 8
						: "";
	if (text_starts(text, "/") || text_starts(text, "?"))
		host = "relative"; /* relative to a ref's address; destination_check requires the ref */
	if (!failed && strchr(text, ' ') != NULL) {
		config_error(errors, node, "has a blank in it: in a URL it is %%20");
		failed = -1;
	}
	if (!failed &&
		(*host == '\0' || *host == '/' || strpbrk(text, " \t\r\n\"<>\\`") != NULL ||
			!buf_ok(&uri))) {
		config_error(errors, node, "must be an http:// or https:// URL with a host");
		failed = -1;
	}
	if (!failed)
		*(char **)field = mem_strdup(text);
	buf_free(&uri);
	return failed;
}

static const struct config_field ref_fields[] = {
	{ "apiVersion", CONFIG_STRING, offsetof(struct destination_ref, api_version),
		CONFIG_REQUIRED, .help = "`eventing.knative.dev/v1`, `v1`, ..." },
	{ "kind", CONFIG_STRING, offsetof(struct destination_ref, kind), CONFIG_REQUIRED,
		.help = "`Broker`, `Service`, `Channel` or any other Addressable." },
	{ "name", CONFIG_STRING, offsetof(struct destination_ref, name), CONFIG_REQUIRED,
		.help = "Its name." },
	{ "namespace", CONFIG_STRING, offsetof(struct destination_ref, ns),
		.help = "Its namespace. Default: the namespace of the service account, or of the kubeconfig's context." },
	{ "address", CONFIG_STRING, offsetof(struct destination_ref, address),
		.help = "Which of its `status.addresses`, by name. Default: the first." },
	{ NULL },
};

static const struct config_field oidc_fields[] = {
	{ "tokenFile", CONFIG_STRING, offsetof(struct destination_oidc, token_file),
		CONFIG_FILE,
		.help = "Projected service account token for the audience. Default: a token is requested by "
			"TokenRequest." },
	{ "serviceAccount", CONFIG_STRING, offsetof(struct destination_oidc, service_account),
		.help = "`namespace/name` to request a token for. Default: the service account of the dispatcher." },
	{ NULL },
};

const struct config_field destination_fields[] = {
	{ "ref", CONFIG_OBJECT, offsetof(struct destination, ref), .fields = ref_fields,
		.help = "An object of the cluster, whose address is looked up and kept up to date." },
	{ "uri", CONFIG_CUSTOM, offsetof(struct destination, uri), .fields = uri_fields,
		.custom = bind_uri,
		.help = "A URL, or the event router's `{scheme, host, path}`; beside `ref`, a path relative to "
			"its address." },
	{ "CACerts", CONFIG_STRING, offsetof(struct destination, ca_certs),
		.help = "PEM text of CA certificates to trust, beside those of the object." },
	{ "audience", CONFIG_STRING, offsetof(struct destination, audience),
		.help = "OIDC audience to get a token for. Default: the audience of the object." },
	{ "oidc", CONFIG_OBJECT, offsetof(struct destination, oidc), .fields = oidc_fields,
		.help = "Where the token for the audience comes from." },
	{ "resolveInterval", CONFIG_DURATION, offsetof(struct destination, resolve_interval_ms),
		.def = "60s", .min = 1000, .max = 24 * 3600 * 1000,
		.help = "How often the address is looked up again." },
	{ "kubernetes", CONFIG_OBJECT, offsetof(struct destination, kube),
		.fields = kube_fields, .help = "How the Kubernetes API is reached." },
	{ NULL },
};

static int
check_ref(const struct destination *d, struct err *err)
{
	const char *slash = strchr(d->ref.api_version, '/');

	if (slash == d->ref.api_version ||
		(slash != NULL && (slash[1] == '\0' || strchr(slash + 1, '/') != NULL)))
		return err_set(err, ERR_CONFIG,
			"destination.ref.apiVersion must be `group/version` or `v1`");
	if (strlen(d->ref.api_version) > 253)
		return err_set(err, ERR_CONFIG, "destination.ref.apiVersion is too long");
	if (d->uri != NULL && strstr(d->uri, "://") != NULL)
		return err_set(err, ERR_CONFIG,
			"destination.uri must be relative (a path) when destination.ref is set");
	return 0;
}

int
destination_check(const struct destination *d, bool auth, struct err *err)
{
	const char *account = d->oidc.service_account, *slash;

	if (d->ref.kind == NULL && d->uri == NULL)
		return err_set(err, ERR_CONFIG, "destination needs a ref or a uri");
	if (d->ref.kind == NULL && strstr(d->uri, "://") == NULL)
		return err_set(err, ERR_CONFIG,
			"destination.uri must be an http:// or https:// URL with a host");
	if (d->ref.kind != NULL && check_ref(d, err) != 0)
		return -1;
	if (auth && (d->audience != NULL || d->oidc.token_file != NULL || account != NULL))
		return err_set(err, ERR_CONFIG,
			"destination.audience and oidc cannot go with auth: both are the "
			"Authorization header");
	slash = account == NULL ? NULL : strchr(account, '/');
	if (account != NULL &&
		(slash == NULL || slash == account || slash[1] == '\0' ||
			strlen(account) > 500 || slash - account > 253))
		return err_set(err, ERR_CONFIG,
			"destination.oidc.serviceAccount must be `namespace/name`");
	return 0;
}

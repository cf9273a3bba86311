// SPDX-License-Identifier: Apache-2.0
#include "kube.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base64.h"
#include "http_options.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"
#include "url.h"

enum {
	API_TIMEOUT_MS = 15 * 1000,
	API_REPLY_MAX = 4 * 1024 * 1024,
	TOKEN_PAYLOAD_MAX = 64 * 1024
};

/*
 * Where the kubelet mounts the token:
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod
 */
#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

const struct config_field kube_fields[] = {
	{ "kubeconfig", CONFIG_STRING, offsetof(struct kube_options, kubeconfig), CONFIG_FILE,
		.help = "Kubeconfig file, to run outside the cluster. Default: the pod's service "
			"account, else `$KUBECONFIG`, else `~/.kube/config`." },
	{ "context", CONFIG_STRING, offsetof(struct kube_options, context),
		.help = "Context in the kubeconfig. Default: its current one." },
	{ "clusterDomain", CONFIG_STRING, offsetof(struct kube_options, cluster_domain),
		.def = "cluster.local", .help = "DNS domain of the cluster's services." },
	{ "serviceAccountDir", CONFIG_STRING,
		offsetof(struct kube_options, service_account_dir), CONFIG_FILE,
		.def = SERVICE_ACCOUNT_DIR,
		.help = "Where the pod's token, ca.crt and namespace are mounted." },
	{ NULL },
};

void
kube_free(struct kube *kube)
{
	free(kube->server);
	free(kube->ns);
	mem_free_secret(kube->token);
	free(kube->account);
	free(kube->ca_file);
	free(kube->ca_pem);
	free(kube->cert_file);
	free(kube->cert_pem);
	free(kube->key_file);
	mem_free_secret(kube->key_pem);
	free(kube->proxy);
	*kube = (struct kube){ .server = NULL };
}

/* ---- in the cluster */

static int
read_mounted(const char *dir, const char *name, char **out, struct err *err)
{
	struct buf path;
	struct secret file;
	int result;

	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s", dir, name);
	file = (struct secret){ .file = path.data };
	result = secret_read(&file, out, err);
	buf_free(&path);
	return result;
}

/* 10.0.0.1 and fd00::1: an IPv6 address needs brackets in a URL. */
static char *
url_of(const char *host, const char *port)
{
	struct buf url;

	buf_init(&url, 1024);
	buf_printf(&url, strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host,
		port);
	return buf_take(&url, NULL);
}

static int
load_in_cluster(struct kube *kube, const char *dir, const char *host, struct err *err)
{
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct buf ca;
	struct err ignored;

	kube->server = url_of(host, port != NULL ? port : "443");
	if (read_mounted(dir, "token", &kube->token, err) != 0)
		return err_wrap(err, "service account");
	if (read_mounted(dir, "namespace", &kube->ns, &ignored) != 0)
		kube->ns = NULL; /* needed only when the configuration has no namespace */
	buf_init(&ca, 4096);
	buf_printf(&ca, "%s/ca.crt", dir);
	kube->ca_file = buf_take(&ca, NULL);
	kube->peer = (struct http_peer){
		.ca_file = kube->ca_file, .ca_only = true, .proxy = ""
	};
	return 0;
}

static char *
default_kubeconfig(void)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	struct buf path;

	if (list != NULL && *list != '\0')
		return mem_strndup(list, strcspn(list, ":"));
	buf_init(&path, 4096);
	buf_printf(&path, "%s/.kube/config", home != NULL ? home : "");
	return buf_take(&path, NULL);
}

static int
check_token(const char *token, struct err *err)
{
	for (; token != NULL && *token != '\0'; token++)
		if (*token <= ' ' || *token >= 0x7f)
			return err_set(err, ERR_CONFIG,
				"the Kubernetes token has characters that are not allowed in a token");
	return 0;
}

int
kube_load(struct kube *kube, const struct kube_options *options, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	char *path = NULL;
	int result;

	kube_free(kube);
	if (options->kubeconfig == NULL && host != NULL && *host != '\0') {
		result = load_in_cluster(kube, options->service_account_dir, host, err);
	} else {
		path = options->kubeconfig != NULL ? mem_strdup(options->kubeconfig)
						   : default_kubeconfig();
		result = kubeconfig_load(kube, path, options->context, err);
		free(path);
	}
	if (result == 0)
		result = check_token(kube->token, err);
	if (result != 0)
		kube_free(kube);
	else if (kube->token != NULL)
		kube->account = kube_account(kube->token);
	return result;
}

/* ---- the content of the token */

char *
kube_account(const char *token)
{
	static const char prefix[] = "system:serviceaccount:";
	const char *payload = strchr(token, '.'), *sub, *colon;
	char *account = NULL;
	struct buf json;
	cJSON *claims = NULL;

	if (payload == NULL || strlen(payload) > TOKEN_PAYLOAD_MAX)
		return NULL;
	payload++;
	buf_init(&json, TOKEN_PAYLOAD_MAX);
	if (base64_decode_url(&json, payload, strcspn(payload, ".")))
		claims = cJSON_ParseWithLength(buf_str(&json), json.len);
	sub = json_member_string(claims, "sub");
	if (sub != NULL && text_starts(sub, prefix)) {
		sub += sizeof(prefix) - 1;
		colon = strchr(sub, ':');
		if (colon != NULL && colon != sub && colon[1] != '\0') {
			account = mem_strdup(sub);
			account[colon - sub] = '/';
		}
	}
	cJSON_Delete(claims);
	mem_wipe(json.data, json.len);
	buf_free(&json);
	return account;
}

/* ---- requests */

static void
add_segment(struct buf *url, const char *segment)
{
	buf_add_char(url, '/');
	url_add_escaped(url, segment);
}

void
kube_request(const struct kube *kube, const struct kube_object *o, struct http_request *req)
{
	buf_printf(&req->url, "%s%s", kube->server, *o->group != '\0' ? "/apis" : "/api");
	if (*o->group != '\0')
		add_segment(&req->url, o->group);
	add_segment(&req->url, o->version);
	if (o->resource != NULL) {
		if (o->ns != NULL) {
			buf_add_str(&req->url, "/namespaces");
			add_segment(&req->url, o->ns);
		}
		add_segment(&req->url, o->resource);
		add_segment(&req->url, o->name);
		if (o->subresource != NULL)
			add_segment(&req->url, o->subresource);
	}
	if (strcmp(o->verb, "create") == 0)
		req->method = "POST";
	http_header(req, "Accept", "application/json");
	if (kube->token != NULL)
		http_auth_bearer(req, kube->token);
	req->peer = &kube->peer;
	req->timeout_ms = API_TIMEOUT_MS;
	req->response_max = API_REPLY_MAX;
}

/* "brokers.eventing.knative.dev default in namespace fn", as in kubectl's messages. */
static void
describe(const struct kube_object *o, struct buf *out)
{
	if (o->resource == NULL) {
		buf_printf(out, "the resources of %s%s%s", o->group, *o->group ? "/" : "",
			o->version);
		return;
	}
	buf_add_str(out, o->resource);
	if (o->subresource != NULL)
		buf_printf(out, "/%s", o->subresource);
	if (*o->group != '\0')
		buf_printf(out, ".%s", o->group);
	buf_printf(out, " %s", o->name);
	if (o->ns != NULL)
		buf_printf(out, " in namespace %s", o->ns);
}

int
kube_check(const struct kube_object *o, const struct http_response *rsp, struct err *err)
{
	struct buf what;

	if (rsp->error != ERR_NONE) {
		*err = rsp->why;
		return err_wrap(err, "Kubernetes API");
	}
	if (rsp->status >= 200 && rsp->status < 300 && !rsp->body_cut)
		return 0;
	buf_init(&what, 1024);
	describe(o, &what);
	if (rsp->status == 401)
		err_set(err, ERR_AUTH, "the Kubernetes API refuses our credentials (HTTP 401)");
	else if (rsp->status == 403)
		err_set(err, ERR_FORBIDDEN,
			"not allowed to %s %s: grant it to our service account, see "
			"k8s/components/knative/dispatcher/rbac.yaml (HTTP 403)",
			o->verb, buf_str(&what));
	else if (rsp->status == 404)
		err_set(err, ERR_NOT_FOUND, "%s does not exist", buf_str(&what));
	else if (rsp->body_cut)
		err_set(err, ERR_PROTOCOL, "%s: the reply is too large or incomplete",
			buf_str(&what));
	else
		err_set(err, ERR_PROTOCOL, "%s %s: HTTP %d", o->verb, buf_str(&what),
			rsp->status);
	buf_free(&what);
	return -1;
}

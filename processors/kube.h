// SPDX-License-Identifier: Apache-2.0
/*
 * The Kubernetes API: its address, our credentials, and the meaning of its replies. In a
 * cluster it uses the pod's service account, elsewhere a kubeconfig. Each kube_load reads
 * everything again, so a rotated token or certificate needs no restart.
 */
#ifndef VCOURIER_KUBE_H
#define VCOURIER_KUBE_H

#include <stddef.h>

#include "config.h"
#include "err.h"
#include "http.h"

struct kube_options {
	char *kubeconfig, *context;
	char *service_account_dir, *cluster_domain;
};
extern const struct config_field kube_fields[];

struct kube {
	char *server;  /* "https://10.0.0.1:443", no slash at the end */
	char *ns;      /* the default namespace; NULL: none is configured */
	char *token;   /* NULL: a client certificate, or no credentials */
	char *account; /* "namespace/name" of the token's service account; NULL: another user */
	struct http_peer peer;
	/* the strings that peer points to */
	char *ca_file, *ca_pem, *cert_file, *cert_pem, *key_file, *key_pem, *proxy;
};

/*
 * options->kubeconfig, else the pod's service account ($KUBERNETES_SERVICE_HOST), else the
 * first file in $KUBECONFIG, else ~/.kube/config. *kube is freed first, and empty after a
 * failure.
 */
int kube_load(struct kube *kube, const struct kube_options *options, struct err *err);
void kube_free(struct kube *kube);

/* Fills kube from a kubeconfig file; context NULL: its current one. kubeconfig.c */
int kubeconfig_load(struct kube *kube, const char *path, const char *context, struct err *err);

/*
 * Namespace and name from a service account's token (the JWT's sub); NULL when it is not such a
 * token.
 */
char *kube_account(const char *token);

/* The requested object, for URLs and messages. */
struct kube_object {
	const char *verb;            /* "get" */
	const char *group, *version; /* group "" for core */
	const char *resource;        /* plural; NULL: the group's list of resources */
	const char *ns, *name;       /* ns NULL: cluster-scoped */
	const char *subresource;     /* NULL: none */
};

/* URL, authorization, TLS and limits; verb "create" makes it a POST. */
void kube_request(
	const struct kube *kube, const struct kube_object *object, struct http_request *req);

/*
 * 0 when the reply is the requested object; for a 403, err names the verb, resource and
 * namespace.
 */
int kube_check(
	const struct kube_object *object, const struct http_response *rsp, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "addressable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "clock.h"
#include "http_options.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"

enum {
	TOKEN_SECONDS = 3600,
	TOKEN_SPARE_MS = 5 * 60 * 1000, /* a token is renewed this long before it expires */
	TOKEN_FILE_MS = 60 * 1000,      /* the kubelet renews a projected token on its own */
	BODY_MAX = 4096,
};

void
addressable_init(struct addressable *a, const struct destination *destination,
	const struct http_options *http)
{
	*a = (struct addressable){ .destination = destination };
	if (http != NULL) {
		http_options_peer(http, &a->peer);
		a->ca_file = http->ca_file;
		a->auth = http->auth.type != HTTP_AUTH_NONE;
	}
	buf_init(&a->body, BODY_MAX);
	if (!addressable_by_ref(a))
		a->now.url = mem_strdup(destination->uri);
}

static void
address_free(struct address *address)
{
	free(address->url);
	free(address->ca_pem);
	free(address->audience);
	*address = (struct address){ .url = NULL };
}

void
addressable_free(struct addressable *a)
{
	address_free(&a->now);
	address_free(&a->next);
	mem_free_secret(a->token);
	kube_free(&a->kube);
	free(a->plural);
	buf_free(&a->body);
	a->token = a->plural = NULL;
}

bool
addressable_by_ref(const struct addressable *a)
{
	return a->destination->ref.kind != NULL;
}

int64_t
addressable_interval_ms(void *addressable)
{
	const struct addressable *a = addressable;

	if (addressable_by_ref(a))
		return a->destination->resolve_interval_ms;
	if (a->now.audience == NULL)
		return 0;
	if (a->destination->oidc.token_file != NULL || a->token_life_ms < 2 * TOKEN_SPARE_MS)
		return TOKEN_FILE_MS;
	return a->token_life_ms - TOKEN_SPARE_MS;
}

/* ---- requests */

/* apiVersion is "GROUP/VERSION", or "v1" of the core group, whose name is empty. */
static struct kube_object
object_of(const struct addressable *a, char group[254])
{
	const struct destination_ref *ref = &a->destination->ref;
	const char *slash = strchr(ref->api_version, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - ref->api_version);

	memcpy(group, ref->api_version, len); /* destination_check has checked the length */
	group[len] = '\0';
	return (struct kube_object){
		.verb = "get",
		.group = group,
		.version = slash == NULL ? ref->api_version : slash + 1,
		.resource = a->asking == ASK_KIND ? NULL : a->plural,
		.ns = !a->namespaced      ? NULL
			: ref->ns != NULL ? ref->ns
					  : a->kube.ns,
		.name = ref->name,
	};
}

/* "namespace/name", and the namespace alone in ns. */
static struct kube_object
token_object(const struct addressable *a, char ns[254])
{
	const char *account = a->destination->oidc.service_account;
	const char *slash;

	if (account == NULL)
		account = a->kube.account;
	slash = strchr(account, '/');
	snprintf(ns, 254, "%.*s", (int)(slash - account), account);
	return (struct kube_object){ .verb = "create",
		.group = "",
		.version = "v1",
		.ns = ns,
		.resource = "serviceaccounts",
		.name = slash + 1,
		.subresource = "token" };
}

static int
request_token(struct addressable *a, struct http_request *req, struct err *err)
{
	char ns[254];
	struct kube_object object;

	if (a->destination->oidc.service_account == NULL && a->kube.account == NULL)
		return err_set(err, ERR_CONFIG,
			"no service account to get a token for audience %s: set oidc.serviceAccount or "
			"oidc.tokenFile",
			a->next.audience);
	object = token_object(a, ns);
	kube_request(&a->kube, &object, req);
	http_header(req, "Content-Type", "application/json");
	buf_clear(&a->body);
	buf_add_str(&a->body,
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\","
		"\"spec\":{\"audiences\":[");
	json_add_string(&a->body, a->next.audience, strlen(a->next.audience));
	buf_printf(&a->body, "],\"expirationSeconds\":%d}}", TOKEN_SECONDS);
	req->body = buf_str(&a->body);
	req->body_len = a->body.len;
	return 0;
}

static void
request_object(struct addressable *a, struct http_request *req)
{
	char group[254];
	struct kube_object object = object_of(a, group);

	kube_request(&a->kube, &object, req);
}

/* ---- replies */

/* Makes the new address the one in use. */
static enum refresh_result
commit(struct addressable *a)
{
	address_free(&a->now);
	a->now = a->next;
	a->next = (struct address){ .url = NULL };
	a->peer.ca_pem = a->now.ca_pem;
	return REFRESH_DONE;
}

static int
read_token_file(struct addressable *a, struct err *err)
{
	struct secret file = { .file = a->destination->oidc.token_file };
	char *token;

	if (secret_read(&file, &token, err) != 0)
		return -1;
	if (token[strspn(token,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")] !=
		'\0') {
		mem_free_secret(token);
		return err_set(err, ERR_CONFIG, "%s: not a token", file.file);
	}
	if (http_credential_check(token, file.file, err) != 0) {
		mem_free_secret(token);
		return -1;
	}
	mem_free_secret(a->token);
	a->token = token;
	a->token_refused = false;
	return 0;
}

/*
 * The address is known. Requests a token if one is needed. now_us: the API server's clock, 0
 * when unknown.
 */
static enum refresh_result
with_address(struct addressable *a, int64_t now_us, struct err *err)
{
	bool same = a->now.audience != NULL && a->next.audience != NULL &&
		strcmp(a->now.audience, a->next.audience) == 0;

	if (a->next.audience == NULL || a->auth)
		return commit(a);
	if (a->destination->oidc.token_file != NULL)
		return read_token_file(a, err) == 0 ? commit(a) : REFRESH_FAILED;
	if (same && a->token != NULL && !a->token_refused && now_us > 0 &&
		now_us + INT64_C(1000) * TOKEN_SPARE_MS < a->token_expires_us)
		return commit(a);
	a->asking = ASK_TOKEN;
	return REFRESH_MORE;
}

/*
 * The reply to a TokenRequest: status.token, status.expirationTimestamp,
 * spec.expirationSeconds.
 */
static enum refresh_result
take_token(struct addressable *a, const cJSON *reply, struct err *err)
{
	const cJSON *status = json_member(reply, "status");
	const cJSON *seconds = json_member(json_member(reply, "spec"), "expirationSeconds");
	const char *token = json_member_string(status, "token");
	const char *expires = json_member_string(status, "expirationTimestamp");

	if (token == NULL || *token == '\0' || strpbrk(token, " \r\n") != NULL) {
		err_set(err, ERR_PROTOCOL,
			"the Kubernetes API answered a TokenRequest without a token");
		return REFRESH_FAILED;
	}
	if (http_credential_check(token, "the token from the Kubernetes API", err) != 0)
		return REFRESH_FAILED;
	if (expires == NULL || !clock_parse(expires, strlen(expires), &a->token_expires_us))
		a->token_expires_us = 0;
	a->token_life_ms = cJSON_IsNumber(seconds) && seconds->valuedouble > 0 &&
			seconds->valuedouble < 1e8
		? (int64_t)seconds->valuedouble * 1000
		: 0;
	mem_free_secret(a->token);
	a->token = mem_strdup(token);
	a->token_refused = false;
	return commit(a);
}

/* ---- the refresh */

/* Whether the Kubernetes API is needed: not for a URL, with or without a projected token. */
static bool
needs_api(const struct addressable *a)
{
	const struct destination *d = a->destination;

	return addressable_by_ref(a) ||
		(d->audience != NULL && d->oidc.token_file == NULL && !a->auth);
}

static enum refresh_step
begin(struct addressable *a, struct err *err)
{
	const struct destination *d = a->destination;

	address_free(&a->next);
	if (needs_api(a) && kube_load(&a->kube, &d->kube, err) != 0)
		return REFRESH_ERROR;
	if (!addressable_by_ref(a)) {
		a->next.url = mem_strdup(d->uri);
		a->next.audience = mem_strdup(d->audience);
		if (addressable_join_certs(a, NULL, &a->next.ca_pem, err) != 0)
			return REFRESH_ERROR;
		switch (with_address(a, 0, err)) {
		case REFRESH_DONE:
			return REFRESH_NOTHING;
		case REFRESH_MORE:
			return REFRESH_SEND;
		default:
			return REFRESH_ERROR;
		}
	}
	if (a->plural == NULL && addressable_is_service(a)) {
		a->plural = mem_strdup("services");
		a->namespaced = true;
	}
	a->asking = a->plural == NULL ? ASK_KIND : ASK_OBJECT;
	return REFRESH_SEND;
}

enum refresh_step
addressable_request(void *addressable, unsigned step, struct http_request *req, struct err *err)
{
	struct addressable *a = addressable;

	if (step == 0) {
		enum refresh_step result = begin(a, err);

		if (result != REFRESH_SEND)
			return result;
	}
	if (a->asking == ASK_TOKEN)
		return request_token(a, req, err) == 0 ? REFRESH_SEND : REFRESH_ERROR;
	if (a->asking == ASK_OBJECT && a->namespaced && a->destination->ref.ns == NULL &&
		a->kube.ns == NULL) {
		err_set(err, ERR_CONFIG, "destination.ref.namespace is needed here");
		return REFRESH_ERROR;
	}
	request_object(a, req);
	return REFRESH_SEND;
}

/* Checks the reply's status. */
static int
check_reply(struct addressable *a, const struct http_response *rsp, struct err *err)
{
	char text[254];
	struct kube_object object = a->asking == ASK_TOKEN ? token_object(a, text)
							   : object_of(a, text);

	if (a->asking == ASK_OBJECT && rsp->status == 404 && !addressable_is_service(a)) {
		free(a->plural); /* the kind itself may be removed or renamed */
		a->plural = NULL;
		object.resource = a->destination->ref.kind;
	}
	return kube_check(&object, rsp, err);
}

enum refresh_result
addressable_response(void *addressable, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct addressable *a = addressable;
	enum refresh_result result = REFRESH_FAILED;
	cJSON *reply;

	(void)step;
	(void)time; /* without a new address the last one stays in use, however long */
	if (check_reply(a, rsp, err) != 0)
		return REFRESH_FAILED;
	reply = cJSON_ParseWithLength(rsp->body, rsp->body_len);
	if (!cJSON_IsObject(reply)) {
		cJSON_Delete(reply);
		err_set(err, ERR_PROTOCOL,
			"the Kubernetes API answered something that is not a JSON object");
		return REFRESH_FAILED;
	}
	switch (a->asking) {
	case ASK_KIND:
		if (addressable_take_kind(a, reply, err) == 0) {
			a->asking = ASK_OBJECT;
			result = REFRESH_MORE;
		}
		break;
	case ASK_OBJECT:
		if (addressable_take_object(a, reply, err) == 0)
			result = with_address(a, rsp->date_us, err);
		break;
	case ASK_TOKEN:
		result = take_token(a, reply, err);
		break;
	}
	cJSON_Delete(reply);
	return result;
}

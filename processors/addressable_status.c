// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a destination from the replies of the Kubernetes API: its plural, and the address in
 * its status.
 */
#include "addressable.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_member.h"
#include "mem.h"
#include "url.h"

bool
addressable_is_service(const struct addressable *a)
{
	return strcmp(a->destination->ref.api_version, "v1") == 0 &&
		strcmp(a->destination->ref.kind, "Service") == 0;
}

int
addressable_take_kind(struct addressable *a, const cJSON *list, struct err *err)
{
	const struct destination_ref *ref = &a->destination->ref;
	const cJSON *item;

	cJSON_ArrayForEach(item, json_member(list, "resources")) {
		const char *kind = json_member_string(item, "kind");
		const char *name = json_member_string(item, "name");

		if (kind == NULL || name == NULL || strcmp(kind, ref->kind) != 0 ||
			strchr(name, '/') != NULL || url_is_dot_segment(name))
			continue;
		free(a->plural);
		a->plural = mem_strdup(name);
		a->namespaced = json_member_true(item, "namespaced");
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "the cluster has no kind %s in %s", ref->kind,
		ref->api_version);
}

int
addressable_join_certs(
	struct addressable *a, const char *from_status, char **out, struct err *err)
{
	const char *from_config = a->destination->ca_certs;
	struct secret file = { .file = (char *)a->ca_file };
	char *from_file = NULL;
	struct buf all;

	*out = NULL;
	if (from_status == NULL && from_config == NULL)
		return 0; /* a CA file without other certificates is the peer's option */
	if (a->ca_file != NULL && secret_read(&file, &from_file, err) != 0)
		return err_wrap(err, "caFile");
	buf_init(&all, 1024 * 1024);
	buf_printf(&all, "%s\n%s\n%s\n", from_status != NULL ? from_status : "",
		from_config != NULL ? from_config : "", from_file != NULL ? from_file : "");
	free(from_file);
	*out = buf_take(&all, NULL);
	return 0;
}

/*
 * status.addresses[] by name or the first, else status.address: {url, CACerts, audience, name}.
 */
static const cJSON *
find_address(const struct destination_ref *ref, const cJSON *status)
{
	const cJSON *list = json_member(status, "addresses"), *item;

	if (ref->address == NULL)
		return cJSON_GetArraySize(list) > 0 ? cJSON_GetArrayItem(list, 0)
						    : json_member(status, "address");
	cJSON_ArrayForEach(item, list) {
		const char *name = json_member_string(item, "name");

		if (name != NULL && strcmp(name, ref->address) == 0)
			return item;
	}
	return NULL;
}

/* The reason why there is no address, from the object's status. */
static int
no_address(const struct destination_ref *ref, const cJSON *status, struct err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, json_member(status, "conditions")) {
		const char *type = json_member_string(item, "type");
		const char *text = json_member_string(item, "message");

		if (type != NULL && strcmp(type, "Ready") == 0 && text != NULL)
			return err_set(err, ERR_NOT_FOUND, "%s %s has no address%s%s yet: %s",
				ref->kind, ref->name, ref->address ? " named " : "",
				ref->address ? ref->address : "", text);
	}
	return err_set(err, ERR_NOT_FOUND, "%s %s has no address%s%s yet", ref->kind, ref->name,
		ref->address ? " named " : "", ref->address ? ref->address : "");
}

static char *
service_url(const struct addressable *a)
{
	const struct destination_ref *ref = &a->destination->ref;
	struct buf url;

	buf_init(&url, 4096);
	buf_printf(&url, "%s://%s.%s.svc.%s",
		a->destination->ca_certs != NULL ? "https" : "http", ref->name,
		ref->ns != NULL ? ref->ns : a->kube.ns, a->destination->kube.cluster_domain);
	return buf_take(&url, NULL);
}

int
addressable_take_object(struct addressable *a, const cJSON *object, struct err *err)
{
	const struct destination *d = a->destination;
	const cJSON *status = json_member(object, "status");
	const cJSON *address = find_address(&d->ref, status);
	char *base = addressable_is_service(a) ? service_url(a)
					       : mem_strdup(json_member_string(address, "url"));
	const char *certs = json_member_string(address, "CACerts");
	const char *audience = json_member_string(address, "audience");
	struct buf url;
	int result;

	if (base == NULL || *base == '\0') {
		free(base);
		return no_address(&d->ref, status, err);
	}
	buf_init(&url, 8 * 1024);
	if (http_url_resolve(base, d->uri != NULL ? d->uri : "", &url))
		result = addressable_join_certs(a,
			certs != NULL && *certs != '\0' ? certs : NULL, &a->next.ca_pem, err);
	else
		result = err_set(err, ERR_PROTOCOL,
			"%s %s: its address \"%s\" is not a URL with a host", d->ref.kind,
			d->ref.name, base);
	free(base);
	a->next.url = buf_take(&url, NULL);
	a->next.audience = mem_strdup(d->audience != NULL ? d->audience : audience);
	return result;
}

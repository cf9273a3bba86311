// SPDX-License-Identifier: Apache-2.0
/*
 * Negotiates the version of the API. vCenter lists the versions that it accepts in
 * vimServiceVersions.xml below the SDK's URL, without a login and with its own version first.
 * It refuses other versions, and it shows each client the API of the client's version. If a
 * proxy permits only SOAP, the known versions are tried.
 */
#include "vim_session.h"

#include <stdio.h>
#include <string.h>

enum {
	LIST_BYTES_MAX = 256 * 1024, /* the list of vSphere 8.0 has 1 KiB */
	TRIES_MAX = 24,
};

/* The major versions. Each later release so far accepts all of them. */
static const char *const known[] = { "9.0.0.0", "8.0.0.0", "7.0.0.0", "6.7", "6.5", "6.0",
	"5.5", NULL };

/*
 * The version is sent in a header: only digits, letters and dots, as in "8.0.2.0" or
 * "2.5u2server".
 */
static bool
is_version(const char *text)
{
	static const char allowed[] = "0123456789.abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(text);

	return len > 0 && len < sizeof(((struct vim *)NULL)->version) && text[0] >= '0' &&
		text[0] <= '9' && strspn(text, allowed) == len;
}

static void
offer(struct vim_versions *v, const char *text)
{
	if (is_version(text) && v->n < sizeof(v->version) / sizeof(v->version[0]))
		snprintf(v->version[v->n++], sizeof(v->version[0]), "%s", text);
}

int
vim_versions_parse(struct vim_versions *v, const char *xml, size_t len, struct err *err)
{
	const struct soap_node *space, *prior;
	struct soap_reply *reply;

	*v = (struct vim_versions){ .listed = true };
	if (soap_parse_document(&reply, "namespaces", xml, len, err) != 0)
		return -1;
	space = soap_get(soap_body(reply), "namespace");
	while (space != NULL && strcmp(soap_text(space, "name"), "urn:vim25") != 0)
		space = soap_next(space);
	if (space != NULL)
		offer(v, soap_text(space, "version"));
	for (prior = soap_get(space, "priorVersions/version"); prior != NULL;
		prior = soap_next(prior))
		offer(v, soap_text(prior, ""));
	soap_free(reply);
	return v->n != 0 ? 0 : err_set(err, ERR_PROTOCOL, "it lists no version of urn:vim25");
}

/*
 * Requests the list from vCenter. -1: vCenter cannot be reached. If vCenter has no list, the
 * known versions are used.
 */
static int
list_versions(struct vim *vim, struct vim_versions *v, struct err *err)
{
	struct http_request *req = http_request_new(vim->http);
	struct http_response rsp;

	buf_printf(&req->url, "%s/vimServiceVersions.xml", vim->options.url);
	req->peer = &vim->options.peer;
	req->timeout_ms = vim->options.timeout_ms;
	req->response_max = LIST_BYTES_MAX;
	if (http_perform(vim->http, req, &rsp, err) != 0)
		return err_wrap(err, "vimServiceVersions.xml");
	if (rsp.status == 200 && !rsp.body_cut &&
		vim_versions_parse(v, rsp.body, rsp.body_len, NULL) == 0)
		return 0;
	*v = (struct vim_versions){ .n = 0 };
	for (size_t i = 0; known[i] != NULL; i++)
		offer(v, known[i]);
	return 0;
}

int
vim_agree_version(
	struct vim *vim, int (*call)(struct vim *vim, struct err *err), struct err *err)
{
	struct vim_versions v;

	if (list_versions(vim, &v, err) != 0)
		return -1;
	for (size_t i = 0; i < v.n && i < TRIES_MAX; i++) {
		memcpy(vim->version, v.version[i], sizeof(vim->version));
		vim->version_refused = false;
		if (call(vim, err) == 0) {
			/* vCenter's own version, which is known now */
			if (!v.listed && is_version(vim->about.api_version))
				memcpy(vim->version, vim->about.api_version,
					sizeof(vim->version));
			return 0;
		}
		if (!vim->version_refused)
			return -1;
	}
	return err_set(err, ERR_PROTOCOL,
		"%s takes none of the versions that were tried, %s to %s of its API",
		vim->options.url, v.version[0], vim->version);
}

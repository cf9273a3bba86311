// SPDX-License-Identifier: Apache-2.0
/* The session and the transport: requests, replies and faults, the cookie, login and logout. */
#include "vim_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "secret.h"
#include "status.h"
#include "text.h"

enum {
	REQUEST_MAX = 64 * 1024,
	LOGOUT_TIMEOUT_MS = 3000,
	AHEAD_WAIT_MS = 5000,
	HEAD_MAX = 256 * 1024, /* bytes of a reply of which only the beginning is needed */
	ANONYMOUS_REPLY_MAX = 4 << 20, /* before the login; 4 KiB are usual */
};

static const char cookie_name[] = "vmware_soap_session=";

void
vim_open(struct vim **out, struct http *http, const struct vim_options *options)
{
	struct vim *vim = mem_alloc(sizeof(*vim));

	vim->http = http;
	http_while_waiting(http, status_beat);
	vim->options = *options;
	/* gzip reduces the traffic to a tenth. On the same machine it only costs CPU time. */
	vim->options.peer.no_compression = http_url_is_loopback(options->url);
	buf_init(&vim->body, REQUEST_MAX);
	vim->options.limits.on_progress = status_beat;
	vim->current.page = vim_page_open(&vim->options.limits);
	vim->spare.page = vim_page_open(&vim->options.limits);
	*out = vim;
}

void
vim_drop_ahead(struct vim *vim)
{
	if (*vim->ahead)
		vim_page_drop(vim->spare.page);
	vim->ahead[0] = '\0';
}

static void
forget_session(struct vim *vim)
{
	mem_free_secret(vim->cookie);
	vim->cookie = NULL;
	vim->session_key[0] = '\0';
	vim_drop_ahead(vim);
}

void
vim_logout(struct vim *vim)
{
	struct soap_reply *reply = NULL;
	int64_t timeout = vim->options.timeout_ms;

	if (vim->cookie == NULL)
		return;
	vim->options.timeout_ms = LOGOUT_TIMEOUT_MS;
	vim_begin(vim, "Logout", "SessionManager", vim->session_manager);
	vim_call(vim, "Logout", &reply, NULL);
	soap_free(reply);
	vim->options.timeout_ms = timeout;
	forget_session(vim);
}

void
vim_close(struct vim *vim)
{
	if (vim == NULL)
		return;
	vim_logout(vim);
	forget_session(vim);
	vim_page_close(vim->current.page);
	vim_page_close(vim->spare.page);
	mem_wipe(vim->body.data, vim->body.len);
	buf_free(&vim->body);
	free(vim);
}

void
vim_limit_event(struct vim *vim, size_t event_max)
{
	vim_page_limit_event(vim->current.page, event_max);
	vim_page_limit_event(vim->spare.page, event_max);
}

bool
vim_has_session(const struct vim *vim)
{
	return vim->cookie != NULL;
}

const struct vim_about *
vim_about(const struct vim *vim)
{
	return &vim->about;
}

void
vim_begin(struct vim *vim, const char *method, const char *type, const char *ref)
{
	buf_clear(&vim->body);
	buf_printf(&vim->body,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\""
		" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""
		" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>"
		"<%s xmlns=\"urn:vim25\"><_this type=\"%s\">",
		method, type);
	soap_add_escaped(&vim->body, ref);
	buf_add_str(&vim->body, "</_this>");
}

void
vim_add(struct vim *vim, const char *element, const char *text)
{
	buf_printf(&vim->body, "<%s>", element);
	soap_add_escaped(&vim->body, text);
	buf_printf(&vim->body, "</%s>", element);
}

int
vim_request(struct vim *vim, const char *method, struct http_request **out, struct err *err)
{
	struct http_request *req;
	char action[64];

	buf_printf(&vim->body, "</%s></soapenv:Body></soapenv:Envelope>", method);
	if (!buf_ok(&vim->body))
		return err_set(err, ERR_PROTOCOL, "%s: request of more than %d bytes", method,
			REQUEST_MAX);
	req = http_request_new(vim->http);
	req->method = "POST";
	buf_add_str(&req->url, vim->options.url);
	http_header(req, "Content-Type", "text/xml; charset=utf-8");
	snprintf(action, sizeof(action), "urn:vim25/%s", vim->version);
	http_header(req, "SOAPAction", action);
	if (vim->cookie != NULL) {
		size_t n = sizeof(cookie_name) + strlen(vim->cookie);
		char *cookie = mem_alloc(n);

		snprintf(cookie, n, "%s%s", cookie_name, vim->cookie);
		http_header(req, "Cookie", cookie);
		mem_free_secret(cookie);
	}
	req->body = vim->body.data;
	req->body_len = vim->body.len;
	req->peer = &vim->options.peer;
	req->timeout_ms = vim->options.timeout_ms;
	*out = req;
	return 0;
}

/* Stores the session cookie from the reply to Login. The value may be quoted. */
static void
take_cookie(struct vim *vim, const struct http_response *rsp)
{
	const char *line = rsp->headers;

	while (line != NULL && *line != '\0') {
		const char *end = line + strcspn(line, "\n");
		const char *value;

		if (text_starts(line, "set-cookie:")) {
			value = line + strlen("set-cookie:");
			value += strspn(value, " ");
			if (text_starts(value, cookie_name)) {
				size_t len;

				value += sizeof(cookie_name) - 1;
				len = strcspn(value, ";\r\n");
				/* each request sends it in a header */
				if (text_has_control(value, len))
					return;
				mem_free_secret(vim->cookie);
				vim->cookie = mem_strndup(value, len);
				return;
			}
		}
		line = *end == '\n' ? end + 1 : end;
	}
}

/* Converts a fault to an error. The fault NotAuthenticated ends the session. */
int
vim_fault(struct vim *vim, const struct normalize_fault *fault, struct err *err)
{
	const char *class_name = fault->class_name;
	enum err_code code = ERR_PROTOCOL;

	if (strcmp(class_name, "InvalidLogin") == 0 ||
		strcmp(class_name, "NoPermission") == 0 ||
		strcmp(class_name, "InvalidLocale") == 0) {
		code = strcmp(class_name, "NoPermission") == 0 ? ERR_FORBIDDEN : ERR_AUTH;
	} else if (strcmp(class_name, "NotAuthenticated") == 0) {
		forget_session(vim);
		code = ERR_NOT_FOUND;
	} else if (strcmp(class_name, "ManagedObjectNotFound") == 0) {
		code = ERR_NOT_FOUND;
	} else if (strcmp(class_name, "InvalidState") == 0) {
		code = ERR_FULL;
	}
	/*
	 * VersionMismatchFaultCode: Unsupported version URI "urn:vim25/7.0". One of the two
	 * texts is enough.
	 */
	if (strstr(fault->code, "VersionMismatch") != NULL ||
		strstr(fault->text, "Unsupported version") != NULL) {
		vim->version_refused = true;
		/* the session had another version: vCenter was upgraded */
		forget_session(vim);
		code = ERR_NOT_FOUND;
	}
	return err_set(err, code, "%s%s%s", class_name, *class_name ? ": " : "", fault->text);
}

int
vim_bad_status(int status, struct err *err)
{
	return err_set(err, ERR_CONNECT, "HTTP status %d, no SOAP reply", status);
}

/* How the reply to a call is read. */
struct reply_form {
	bool head;  /* of a larger reply than max only the beginning is used */
	size_t max; /* bytes */
	const struct soap_items *items; /* NULL: none */
};

static int
parse_reply(struct vim *vim, const struct http_response *rsp, const struct reply_form *form,
	struct soap_reply **reply, struct err *err)
{
	struct err why;
	int failed;

	if (rsp->body_cut && rsp->body_len < form->max)
		failed = err_set(&why, ERR_PROTOCOL, "the reply broke off: %s", rsp->why.text);
	else if (rsp->body_cut && form->head)
		failed = soap_parse_head(reply, rsp->body, rsp->body_len, &why);
	else if (rsp->body_cut)
		failed = err_set(&why, ERR_LIMIT, "the reply exceeds %zu bytes", form->max);
	else if (form->items != NULL)
		failed = soap_parse_items(reply, form->items, rsp->body, rsp->body_len, &why);
	else
		failed = soap_parse(reply, rsp->body, rsp->body_len, &why);
	vim->too_large = failed && why.code == ERR_LIMIT;
	/* not ERR_LIMIT, which means that smaller pages must be read: vim.h */
	return failed ? err_set(err, vim->too_large ? ERR_PROTOCOL : why.code, "%s", why.text)
		      : 0;
}

static int
call(struct vim *vim, const char *method, const struct reply_form *form,
	struct soap_reply **reply, struct err *err)
{
	struct http_request *req;
	struct http_response rsp;

	*reply = NULL;
	if (vim_request(vim, method, &req, err) != 0)
		return -1;
	req->response_max = form->max;
	/* the page uses the connection; without this wait the call would open a second one */
	if (*vim->ahead)
		vim_page_wait(vim->spare.page, vim->http, AHEAD_WAIT_MS, NULL);
	if (http_perform(vim->http, req, &rsp, err) != 0)
		return err_wrap(err, "%s", method);
	if (rsp.status != 200 && rsp.status != 500) {
		vim_bad_status(rsp.status, err);
		return err_wrap(err, "%s", method);
	}
	if (parse_reply(vim, &rsp, form, reply, err) != 0)
		return err_wrap(err, "%s", method);
	if (soap_fault(*reply) != NULL) {
		const struct soap_node *denied = soap_get(
			soap_body(*reply), "detail/NoPermissionFault");

		if (vim_fault(vim, soap_fault(*reply), err) != 0 && denied != NULL)
			err_set(err, ERR_FORBIDDEN, "NoPermission: it takes %s on %s",
				soap_text(denied, "privilegeId"), soap_text(denied, "object"));
		soap_free(*reply);
		*reply = NULL;
		return err_wrap(err, "%s", method);
	}
	take_cookie(vim, &rsp);
	return 0;
}

int
vim_call(struct vim *vim, const char *method, struct soap_reply **reply, struct err *err)
{
	return vim_call_items(vim, method, NULL, reply, err);
}

int
vim_call_head(struct vim *vim, const char *method, struct soap_reply **reply, struct err *err)
{
	const struct reply_form form = { .head = true, .max = HEAD_MAX };

	return call(vim, method, &form, reply, err);
}

int
vim_call_items(struct vim *vim, const char *method, const struct soap_items *items,
	struct soap_reply **reply, struct err *err)
{
	const struct reply_form form = { .items = items,
		.max = vim->cookie == NULL ? ANONYMOUS_REPLY_MAX : SOAP_REPLY_MAX };

	return call(vim, method, &form, reply, err);
}

static int
service_content(struct vim *vim, struct err *err)
{
	const struct soap_node *c;
	struct soap_reply *reply;

	vim_begin(vim, "RetrieveServiceContent", "ServiceInstance", "ServiceInstance");
	if (vim_call(vim, "RetrieveServiceContent", &reply, err) != 0)
		return -1;
	c = soap_get(soap_body(reply), "returnval");
	snprintf(vim->about.name, sizeof(vim->about.name), "%s", soap_text(c, "about/name"));
	snprintf(vim->about.api_version, sizeof(vim->about.api_version), "%s",
		soap_text(c, "about/apiVersion"));
	snprintf(vim->about.build, sizeof(vim->about.build), "%s", soap_text(c, "about/build"));
	snprintf(vim->about.instance_uuid, sizeof(vim->about.instance_uuid), "%s",
		soap_text(c, "about/instanceUuid"));
	snprintf(vim->session_manager, sizeof(vim->session_manager), "%s",
		soap_text(c, "sessionManager"));
	snprintf(vim->event_manager, sizeof(vim->event_manager), "%s",
		soap_text(c, "eventManager"));
	snprintf(vim->property_collector, sizeof(vim->property_collector), "%s",
		soap_text(c, "propertyCollector"));
	snprintf(vim->root_folder, sizeof(vim->root_folder), "%s", soap_text(c, "rootFolder"));
	snprintf(vim->authorization_manager, sizeof(vim->authorization_manager), "%s",
		soap_text(c, "authorizationManager"));
	soap_free(reply);
	if (!*vim->event_manager || !*vim->session_manager)
		return err_set(err, ERR_PROTOCOL,
			"%s answers, but not as a vCenter (no event manager)",
			vim->options.url);
	if (!*vim->about.instance_uuid)
		return err_set(err, ERR_PROTOCOL,
			"%s has no instanceUuid: an ESXi host, not a vCenter?",
			vim->options.url);
	return 0;
}

static int
log_in(struct vim *vim, struct err *err)
{
	struct soap_reply *reply;
	char *password;
	int failed;

	if (secret_read(vim->options.password, &password, err) != 0)
		return err_wrap(err, "vCenter password");
	vim_begin(vim, "Login", "SessionManager", vim->session_manager);
	vim_add(vim, "userName", vim->options.user ? vim->options.user : "");
	vim_add(vim, "password", password);
	mem_free_secret(password);
	failed = vim_call(vim, "Login", &reply, err);
	mem_wipe(vim->body.data, vim->body.len);
	if (failed)
		return err_wrap(
			err, "login as %s", vim->options.user ? vim->options.user : "nobody");
	snprintf(vim->session_key, sizeof(vim->session_key), "%s",
		soap_text(soap_body(reply), "returnval/key"));
	soap_free(reply);
	if (vim->cookie == NULL)
		return err_set(err, ERR_PROTOCOL, "Login: the reply sets no session cookie");
	return 0;
}

int
vim_connect(struct vim *vim, bool *fresh, struct err *err)
{
	*fresh = false;
	if (vim->cookie != NULL)
		return 0;
	/* at each login, because this name may belong to another or a newer vCenter now */
	if (vim_agree_version(vim, service_content, err) != 0 || log_in(vim, err) != 0) {
		/* a reply before the login may have set a cookie, which is not a session */
		forget_session(vim);
		return -1;
	}
	*fresh = true;
	return 0;
}

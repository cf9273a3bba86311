// SPDX-License-Identifier: Apache-2.0
#include "jetstream_api.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "jetstream.h"
#include "json_member.h"

void
jetstream_differs(char *list, size_t size, const char *name, double is, double wanted)
{
	size_t used = strlen(list);

	/* equal within a double's exact integers: both come from JSON numbers */
	if (is > wanted - 0.5 && is < wanted + 0.5)
		return;
	snprintf(list + used, size - used, "%s%s is %.0f, configured %.0f", used ? "; " : "",
		name, is, wanted);
}

enum { NOT_FOR_ACCOUNT = 10039 }; /* JetStream not enabled for account */

static enum err_code
classify(int http_code, int code)
{
	if (code == 10008 /* no leader at the moment */)
		return ERR_TIMEOUT;
	if (code == JS_ERR_STORE_FAILED || code == 10023 /* insufficient resources */ ||
		http_code == 503)
		return ERR_FULL;
	if (http_code == 404)
		return ERR_NOT_FOUND;
	if (code == JS_ERR_WRONG_LAST_SEQ || code == 10058 /* stream name in use */ ||
		code == 10130 /* the same, of a restore */ ||
		code == 10013 /* consumer name in use */ || code == 10148 /* consumer exists */)
		return ERR_CONFLICT;
	return ERR_PROTOCOL;
}

int
jetstream_error_code(const cJSON *error, const char *name)
{
	int64_t code = json_member_int(error, name);

	return code > 0 && code <= INT_MAX ? (int)code : 0;
}

int
jetstream_reply(const char *subject, const struct bus_msg *msg, cJSON **reply, struct err *err)
{
	cJSON *json = cJSON_ParseWithLength(bus_msg_data(msg), bus_msg_len(msg));
	const cJSON *error;
	int api_code;

	if (json == NULL)
		return err_set(err, ERR_PROTOCOL, "%s: the reply is not JSON", subject);
	error = json_member(json, "error");
	if (error == NULL) {
		*reply = json;
		return 0;
	}
	api_code = jetstream_error_code(error, "err_code");
	err_set(err, classify(jetstream_error_code(error, "code"), api_code), "%s: %s (%d)%s",
		subject, json_member_text(error, "description"), api_code,
		api_code == NOT_FOR_ACCOUNT ? "; does bus.apiPrefix fit the account?" : "");
	cJSON_Delete(json);
	return api_code > 0 ? api_code : -1;
}

int
jetstream_call(struct bus *bus, const char *subject, const struct buf *body, cJSON **reply,
	struct err *err)
{
	struct bus_out out = { .subject = subject,
		.data = body ? body->data : NULL,
		.len = body ? body->len : 0 };
	struct bus_msg *msg = NULL;
	int rc;

	if (bus_request(bus, &out, JS_API_TIMEOUT_MS, &msg, err) != 0) {
		if (err->code == ERR_NOT_FOUND)
			err_set(err, ERR_CONNECT,
				"%s: no answer: is JetStream enabled on the server, and does bus.apiPrefix fit the account?",
				subject);
		return -1;
	}
	rc = jetstream_reply(subject, msg, reply, err);
	bus_msg_free(msg);
	return rc;
}

bool
jetstream_clustered(const cJSON *reply)
{
	return json_member_text(json_member(reply, "cluster"), "name")[0] != '\0';
}

const char *
jetstream_leader(const cJSON *reply)
{
	return jetstream_clustered(reply)
		? json_member_text(json_member(reply, "cluster"), "leader")
		: "";
}

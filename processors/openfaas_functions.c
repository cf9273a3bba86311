// SPDX-License-Identifier: Apache-2.0
#include "openfaas_functions.h"

#include "function_list.h"
#include "url.h"

enum {
	LIST_TIMEOUT_MS = 15 * 1000,
	/* 10,000 functions with labels and limits are about 8 MiB */
	LIST_BYTES_MAX = 32 * 1024 * 1024,
	/* lists in one run without a reply; after that the gateway itself is at fault */
	SILENT_MAX = 3,
};

void
openfaas_functions_free(struct openfaas_functions *f)
{
	function_map_free(f->map);
	function_map_free(f->next);
}

int64_t
openfaas_functions_interval_ms(void *functions)
{
	const struct openfaas_functions *f = functions;

	return f->confirm_ms > 0 && f->confirm_ms < f->interval_ms ? f->confirm_ms
								   : f->interval_ms;
}

enum refresh_step
openfaas_functions_request(
	void *functions, unsigned step, struct http_request *req, struct err *err)
{
	struct openfaas_functions *f = functions;

	if (step == 0) {
		if (http_auth_load(f->auth, err) != 0)
			return REFRESH_ERROR;
		function_map_free(f->next);
		f->next = function_map_new(f->wildcards);
		f->n_failed = f->n_silent = 0;
		f->full = false;
		buf_printf(&req->url, "%s/system/namespaces", f->base);
	} else {
		buf_printf(&req->url, "%s/system/functions", f->base);
		if (function_map_namespaces(f->next) > 0) {
			buf_add_str(&req->url, "?namespace=");
			url_add_escaped(&req->url, function_map_namespace(f->next, step - 1));
		}
	}
	http_auth_add(f->auth, req);
	req->peer = f->peer;
	req->timeout_ms = LIST_TIMEOUT_MS;
	req->response_max = LIST_BYTES_MAX;
	return REFRESH_SEND;
}

/* what: "namespaces", "functions". */
static int
check_reply(const struct http_response *rsp, const char *what, struct err *err)
{
	if (rsp->error != ERR_NONE) {
		*err = rsp->why;
		return -1;
	}
	if (rsp->status == 401 || rsp->status == 403)
		return err_set(err, ERR_AUTH,
			"%s: the gateway refuses our credentials (HTTP %d)", what, rsp->status);
	if (rsp->status != 200)
		return err_set(err, ERR_PROTOCOL, "%s: HTTP %d", what, rsp->status);
	if (rsp->body_cut && rsp->body_len < LIST_BYTES_MAX)
		return err_set(
			err, ERR_PROTOCOL, "%s: the gateway's reply is incomplete", what);
	if (rsp->body_cut)
		return err_set(err, ERR_LIMIT, "%s: the gateway's reply is larger than %d MiB",
			what, LIST_BYTES_MAX / 1024 / 1024);
	return 0;
}

/* A gateway without namespaces returns 404; so does one that is not ready yet. */
static enum refresh_result
take_namespaces(struct openfaas_functions *f, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	size_t had = f->map != NULL ? function_map_namespaces(f->map) : 0;

	if ((rsp->error != ERR_NONE || rsp->status != 404) &&
		(check_reply(rsp, "namespaces", err) != 0 ||
			function_list_namespaces(f->next, rsp->body, rsp->body_len, err) != 0))
		return REFRESH_FAILED;
	if (had == 0 || function_map_namespaces(f->next) > 0) {
		f->namespaces.seen = false;
	} else if (!absence_confirmed(&f->namespaces, time)) {
		f->confirm_ms = absence_left_ms(&f->namespaces, time);
		err_set(err, ERR_PROTOCOL,
			"namespaces: the gateway lists no namespaces any more, before it had %zu",
			had);
		return REFRESH_UNCONFIRMED;
	}
	return REFRESH_MORE;
}

/* The same credentials list namespaces, so a 403 concerns this namespace only. */
static int
read_namespace(struct openfaas_functions *f, size_t i, const struct http_response *rsp,
	struct err *err)
{
	const char *ns = function_map_namespace(f->next, i);

	if (rsp->error == ERR_NONE && rsp->status != 200)
		err_set(err, rsp->status == 403 ? ERR_FORBIDDEN : ERR_PROTOCOL, "HTTP %d",
			rsp->status);
	else if (check_reply(rsp, "functions", err) == 0) {
		if (function_list_functions(f->next, ns, rsp->body, rsp->body_len, err) == 0)
			return 0;
		f->full = err->code == ERR_LIMIT;
	}
	return f->full ? -1 : err_wrap(err, "namespace %.64s cannot be listed", ns);
}

static enum refresh_result finish(
	struct openfaas_functions *f, const struct refresh_time *time, struct err *err);

static enum refresh_result
take_functions(struct openfaas_functions *f, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	size_t n = function_map_namespaces(f->next);

	if (n == 0 &&
		(check_reply(rsp, "functions", err) != 0 ||
			function_list_functions(f->next, "", rsp->body, rsp->body_len, err) !=
				0))
		return REFRESH_FAILED;
	if (n > 0 && read_namespace(f, step - 1, rsp, err) != 0) {
		f->n_silent += rsp->error != ERR_NONE;
		if (f->full || rsp->error == ERR_CONNECT || rsp->error == ERR_TLS ||
			f->n_silent == SILENT_MAX)
			return REFRESH_FAILED;
		if (f->n_failed++ == 0)
			f->failed = *err;
		function_map_namespace_failed(f->next, step - 1);
		err->code = ERR_NONE;
	}
	return step < n ? REFRESH_MORE : finish(f, time, err);
}

/* A warning about the lists as a whole; its text does not change while they do not. */
static void
warn(const struct openfaas_functions *f, const struct function_map_kept *kept, struct err *err)
{
	if (f->n_failed > 1)
		err_set(err, f->failed.code, "%s (and %zu more)", f->failed.text,
			f->n_failed - 1);
	else if (f->n_failed > 0)
		*err = f->failed;
	else if (kept->missing > 1)
		err_set(err, ERR_NOT_FOUND,
			"functions: %.128s and %zu more are missing from the gateway's list: "
			"their events are kept until that is confirmed",
			kept->name, kept->missing - 1);
	else if (kept->missing > 0)
		err_set(err, ERR_NOT_FOUND,
			"functions: %.128s is missing from the gateway's list: its events are kept "
			"until that is confirmed",
			kept->name);
	else if (function_map_functions(f->next) == 0)
		err_set(err, ERR_NOT_FOUND,
			"functions: the gateway lists no function with a topic");
}

/* All lists are read: the complete map becomes the one in use, if it can be trusted. */
static enum refresh_result
finish(struct openfaas_functions *f, const struct refresh_time *time, struct err *err)
{
	struct function_map_kept kept;
	bool settled;

	if (f->n_failed > 0 && f->n_failed == function_map_namespaces(f->next)) {
		*err = f->failed;
		return REFRESH_FAILED;
	}
	function_map_keep(f->next, f->map, time, &kept);
	settled = absence_confirmed(&f->others, time);
	f->confirm_ms = !settled ? absence_left_ms(&f->others, time) : kept.confirm_ms;
	warn(f, &kept, err);
	if (!settled && function_map_functions(f->next) == 0)
		return REFRESH_UNCONFIRMED;
	function_map_seal(f->next);
	f->version += settled != f->settled || f->map == NULL ||
		!function_map_same(f->next, f->map);
	function_map_free(f->map);
	f->map = f->next;
	f->next = NULL;
	f->settled = settled;
	return REFRESH_DONE;
}

enum refresh_result
openfaas_functions_response(void *functions, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct openfaas_functions *f = functions;

	if (step == 0)
		return take_namespaces(f, rsp, time, err);
	return take_functions(f, step, rsp, time, err);
}

void
openfaas_functions_save(const struct openfaas_functions *f, struct buf *text)
{
	if (f->map != NULL)
		function_map_save(f->map, text);
}

int
openfaas_functions_restore(
	struct openfaas_functions *f, const char *text, size_t len, struct err *err)
{
	struct function_map *map = function_map_new(f->wildcards);

	if (function_map_restore(map, text, len, err) != 0) {
		function_map_free(map);
		return -1;
	}
	function_map_seal(map);
	f->map = map;
	f->version++;
	return 0;
}

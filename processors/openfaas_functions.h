// SPDX-License-Identifier: Apache-2.0
/*
 * The functions of an OpenFaaS gateway, read by a refresh of the processor: first the
 * namespaces, then the functions of each. Namespaces are independent: one that cannot be listed
 * keeps its functions, and is named in a warning.
 */
#ifndef VCOURIER_OPENFAAS_FUNCTIONS_H
#define VCOURIER_OPENFAAS_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "absence.h"
#include "err.h"
#include "function_map.h"
#include "http.h"
#include "http_options.h"
#include "processor.h"

struct openfaas_functions {
	/* set by the owner, borrowed */
	const char *base; /* the gateway's URL without a trailing slash */
	const struct http_peer *peer;
	struct http_auth *auth;
	bool wildcards;
	int64_t interval_ms; /* refreshInterval */

	struct function_map *map; /* in use; NULL before the first refresh is done */
	bool settled;             /* an event that matches no function of the map is filtered */
	uint64_t version;         /* counts up when either changes */

	/* the current refresh */
	struct function_map *next;
	size_t n_failed;   /* namespaces */
	size_t n_silent;   /* lists without a reply */
	struct err failed; /* the error of the first of them */
	bool full;         /* the map has no room for all functions */

	struct absence others;     /* of further functions: the first list may be incomplete */
	struct absence namespaces; /* of the namespaces of a gateway that had some */
	/* time until an absence can be confirmed; 0: none is waiting */
	int64_t confirm_ms;
};

void openfaas_functions_free(struct openfaas_functions *f);

/* The functions of a struct refresh; f is a struct openfaas_functions. */
int64_t openfaas_functions_interval_ms(void *f);
enum refresh_step openfaas_functions_request(
	void *f, unsigned step, struct http_request *req, struct err *err);
enum refresh_result openfaas_functions_response(void *f, unsigned step,
	const struct http_response *rsp, const struct refresh_time *time, struct err *err);

/* As save and restore of struct processor. */
void openfaas_functions_save(const struct openfaas_functions *f, struct buf *text);
int openfaas_functions_restore(
	struct openfaas_functions *f, const char *text, size_t len, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * A Knative destination: a URL, or an object of the cluster that has one in its status
 * ("Addressable"), and the OIDC token for its audience. Resolved step by step, as a refresh of
 * a processor:
 *
 *   GET  /apis/GROUP/VERSION                              the plural of the kind
 *   GET  /apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME    the address
 *   POST /api/v1/namespaces/NS/serviceaccounts/SA/token   the token, when it is due
 *
 * https://knative.dev/docs/eventing/sinks/
 * https://github.com/knative/specs/blob/main/specs/eventing/control-plane.md
 */
#ifndef VCOURIER_ADDRESSABLE_H
#define VCOURIER_ADDRESSABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "http_options.h"
#include "kube.h"
#include "processor.h"

struct destination_ref {
	char *api_version, *kind, *name, *ns;
	char *address; /* a name in status.addresses; NULL: the first */
};

struct destination {
	char *uri; /* absolute without a ref, relative to the address with one */
	struct destination_ref ref;
	char *ca_certs, *audience;
	struct destination_oidc {
		char *token_file, *service_account;
	} oidc;
	int64_t resolve_interval_ms;
	struct kube_options kube;
};
extern const struct config_field destination_fields[];

/*
 * Checks that a table cannot express. auth: requests carry credentials of the options, so no
 * token is requested.
 */
int destination_check(const struct destination *destination, bool auth, struct err *err);

struct address {
	char *url;      /* NULL: not resolved yet */
	char *ca_pem;   /* CA certificates beside the system's; NULL: none */
	char *audience; /* NULL: no token is needed */
};

struct addressable {
	const struct destination *destination;
	const char *ca_file;   /* CA file of the options; NULL: none */
	bool auth;             /* requests carry credentials of the options */
	struct http_peer peer; /* of requests to the address; trusts its CACerts, too */
	struct address now;    /* the last good one */
	char *token;           /* for now.audience */
	bool token_refused;    /* set by the owner after a 401 */

	/* the current resolution */
	struct address next;
	struct kube kube;
	enum { ASK_KIND, ASK_OBJECT, ASK_TOKEN } asking;
	char *plural; /* kept from one resolution to the next */
	bool namespaced;
	struct buf body;
	int64_t token_expires_us, token_life_ms; /* by the API server's clock */
};

/* http: the TLS, proxy and authentication options of requests to it; NULL: defaults. */
void addressable_init(struct addressable *a, const struct destination *destination,
	const struct http_options *http);
void addressable_free(struct addressable *a);
/* addressable_status.c: reads the API's replies */
struct cJSON;
int addressable_take_kind(struct addressable *a, const struct cJSON *list, struct err *err);
/* into next */
int addressable_take_object(struct addressable *a, const struct cJSON *object, struct err *err);
int addressable_join_certs(
	struct addressable *a, const char *from_status, char **out, struct err *err);
/* of the core group: it has no status to read */
bool addressable_is_service(const struct addressable *a);

bool addressable_by_ref(const struct addressable *a);

/*
 * A row of a table of struct refresh: `at` is the struct addressable inside the struct `type`.
 */
/* clang-format 14 and 19 differ */
/* clang-format off */
#define ADDRESSABLE_REFRESH(name, required, type, at) \
	{ \
		name, addressable_interval_ms, required, addressable_request, \
			addressable_response, offsetof(type, at) \
	}
/* clang-format on */
int64_t addressable_interval_ms(void *addressable);
enum refresh_step addressable_request(
	void *addressable, unsigned step, struct http_request *req, struct err *err);
enum refresh_result addressable_response(void *addressable, unsigned step,
	const struct http_response *rsp, const struct refresh_time *time, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Shared by vim.c (session and transport), vim_version.c, vim_events.c (calls about events) and
 * vim_read.c (pages). The other files call vim.c; vim.c and vim_read.c call vim_page.c.
 */
#ifndef VCOURIER_VIM_SESSION_H
#define VCOURIER_VIM_SESSION_H

#include "buf.h"
#include "soap.h"
#include "vim.h"
#include "vim_page.h"

struct vim_page_slot {
	struct vim_page *page;
	int asked; /* number of events that were requested */
};

/* An event in which replies end: they break off there, or exceed a limit. */
struct vim_bad_event {
	uint64_t id; /* a hash of the part that arrived */
	unsigned times;
	uint64_t n_whole; /* vim.n_whole at its first failure */
};

/* Versions of the API, such as "8.0.2.0". The newest is first. */
struct vim_versions {
	char version[64][32];
	size_t n;
	bool listed; /* by vCenter; false: from the list in this program */
};

struct vim {
	struct http *http;
	struct vim_options options;
	struct vim_about about;
	char version[32];     /* of the API, sent in each SOAPAction */
	bool version_refused; /* by vCenter in the last call */
	bool too_large;       /* the reply to the last call was */
	char session_manager[64], event_manager[64], property_collector[64], root_folder[64];
	char authorization_manager[64];
	char session_key[128];
	char *cookie; /* value of vmware_soap_session; NULL: no session */
	struct buf body;
	struct vim_page_slot current; /* in use by the caller */
	struct vim_page_slot spare;   /* for the next page, requested in advance */
	struct vim_bad_event bad[16];
	size_t n_bad; /* since the start */
	/* the last event that was skipped, see struct normalize_page; 0: none ever */
	uint64_t skipped_id;
	uint64_t n_whole; /* pages of ReadNextEvents with events that arrived complete */
	char ahead[128];  /* the collector whose next page is `spare`; "": none was requested */
};

/*
 * Starts a request in vim->body with the envelope, <method> and <_this>. The caller then adds
 * arguments; vim_call ends the request.
 */
void vim_begin(struct vim *vim, const char *method, const char *type, const char *ref);
void vim_add(struct vim *vim, const char *element, const char *text);

/* The versions of urn:vim25 in a vimServiceVersions.xml, at least one. err may be NULL. */
int vim_versions_parse(
	struct vim_versions *versions, const char *xml, size_t len, struct err *err);

/* Makes the call with the newest version that vCenter accepts. Later calls use it too. */
int vim_agree_version(
	struct vim *vim, int (*call)(struct vim *vim, struct err *err), struct err *err);

/*
 * Sends the request that vim_begin started. A fault becomes an error, see vim.h. *reply belongs
 * to the caller (soap_free).
 */
int vim_call(struct vim *vim, const char *method, struct soap_reply **reply, struct err *err);
/* The same, for a reply that may be too large. In that case *reply is its beginning. */
int vim_call_head(
	struct vim *vim, const char *method, struct soap_reply **reply, struct err *err);
/* The same, for a long list: see soap_parse_items. */
int vim_call_items(struct vim *vim, const char *method, const struct soap_items *items,
	struct soap_reply **reply, struct err *err);

/*
 * The same in parts, for pages: vim_request builds the request. vim_fault and vim_bad_status
 * convert a fault, or a bad HTTP status without a fault, to an error; they return -1.
 */
int vim_request(
	struct vim *vim, const char *method, struct http_request **req, struct err *err);
int vim_fault(struct vim *vim, const struct normalize_fault *fault, struct err *err);
int vim_bad_status(int status, struct err *err);

/* Discards the page that was requested in advance. */
void vim_drop_ahead(struct vim *vim);

#endif

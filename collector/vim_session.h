// SPDX-License-Identifier: Apache-2.0
/*
 * What vim.c (session and transport) shares with vim_version.c, vim_events.c (the calls about
 * events) and vim_read.c (pages). Calls run from those into vim.c, and from vim.c and
 * vim_read.c into vim_page.c.
 */
#ifndef VCOURIER_VIM_SESSION_H
#define VCOURIER_VIM_SESSION_H

#include "buf.h"
#include "soap.h"
#include "vim.h"
#include "vim_page.h"

struct vim_page_slot {
	struct vim_page *page;
	int asked; /* events that were asked for */
};

/*
 * An event that one page after the other ends in: its reply breaks off, or exceeds what a reply
 * may have.
 */
struct vim_bad_event {
	uint64_t id; /* a hash of what came of it */
	unsigned times;
	uint64_t n_whole; /* as in struct vim, when it failed first */
};

/* Versions of the API, "8.0.2.0", the newest first. */
struct vim_versions {
	char version[64][32];
	size_t n;
	bool listed; /* by the vCenter; else these are those that we know */
};

struct vim {
	struct http *http;
	struct vim_options options;
	struct vim_about about;
	char version[32];     /* of the API, in each SOAPAction */
	bool version_refused; /* by the last call */
	bool too_large;       /* its reply was */
	char session_manager[64], event_manager[64], property_collector[64], root_folder[64];
	char authorization_manager[64];
	char session_key[128];
	char *cookie; /* value of vmware_soap_session; NULL: no session */
	struct buf body;
	struct vim_page_slot current; /* lent to the caller */
	struct vim_page_slot spare;   /* for the page after it */
	struct vim_bad_event bad[16];
	size_t n_bad; /* that there ever were */
	/* the last event that was skipped, see struct normalize_page; 0: none ever */
	uint64_t skipped_id;
	uint64_t n_whole; /* pages of ReadNextEvents, with events in them, that came whole */
	char ahead[128];  /* the collector whose next page `spare` is; "": none was asked for */
};

/*
 * Starts a request in vim->body: the envelope, <method>, <_this>. Then add arguments; vim_call
 * ends it.
 */
void vim_begin(struct vim *vim, const char *method, const char *type, const char *ref);
void vim_add(struct vim *vim, const char *element, const char *text);

/* The versions of urn:vim25 in a vimServiceVersions.xml, at least one. err may be NULL. */
int vim_versions_parse(
	struct vim_versions *versions, const char *xml, size_t len, struct err *err);

/*
 * Makes the call with the newest version that the vCenter takes; calls that follow have it too.
 */
int vim_agree_version(
	struct vim *vim, int (*call)(struct vim *vim, struct err *err), struct err *err);

/*
 * Sends what vim_begin began. A fault becomes an error (see vim.h). *reply is the caller's
 * (soap_free).
 */
int vim_call(struct vim *vim, const char *method, struct soap_reply **reply, struct err *err);
/* The same for a reply that may be too large: then *reply is its beginning. */
int vim_call_head(
	struct vim *vim, const char *method, struct soap_reply **reply, struct err *err);

/*
 * The same in parts, for pages: the request; then what a fault, or a status without one, means
 * (always -1).
 */
int vim_request(
	struct vim *vim, const char *method, struct http_request **req, struct err *err);
int vim_fault(struct vim *vim, const struct normalize_fault *fault, struct err *err);
int vim_bad_status(int status, struct err *err);

/* The page that was asked for ahead is not wanted any more. */
void vim_drop_ahead(struct vim *vim);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What vim.c (session and transport) and vim_events.c (the calls about events) share. */
#ifndef VCOURIER_VIM_SESSION_H
#define VCOURIER_VIM_SESSION_H

#include "buf.h"
#include "soap.h"
#include "vim.h"

struct vim {
	struct http *http;
	struct vim_options options;
	struct vim_about about;
	char session_manager[64], event_manager[64], property_collector[64], root_folder[64];
	char authorization_manager[64];
	char session_key[128];
	char *cookie; /* value of vmware_soap_session; NULL: no session */
	struct buf body;
	struct normalizer *normalizer;
	struct err feed; /* why the normalizer refused a page */
};

/* Starts a request in vim->body: the envelope, <method>, <_this>. Then add arguments; vim_call ends it. */
void vim_begin(struct vim *vim, const char *method, const char *type, const char *ref);
void vim_add(struct vim *vim, const char *element, const char *text);

/* Sends what vim_begin began. A fault becomes an error (see vim.h). *reply is the caller's (soap_free). */
int vim_call(struct vim *vim, const char *method, struct soap_reply **reply, struct err *err);

/* The same for a page of events. */
int vim_call_page(struct vim *vim, const char *method, struct normalize_page *page, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "connect_source.h"

#include <stdio.h>

#include "certificate.h"
#include "clock.h"
#include "exit_status.h"
#include "horizon_api.h"
#include "horizon_source.h"
#include "vcenter_options.h"
#include "vcenter_source.h"
#include "vim.h"
#include "webhook_check.h"
#include "webhook_source.h"

static void
check_vcenter(struct checklist *list, const char *name, const struct vcenter_options *o)
{
	struct vim_options options = { .url = o->address,
		.user = o->user,
		.password = &o->password,
		.timeout_ms = CHECKLIST_WAIT_MS };
	struct vim *vim;
	struct vim_access access = { .known = false };
	bool fresh;
	char what[160];
	struct err err;

	checklist_label(what, "vCenter", name);
	source_server_peer(&o->server, &options.peer);
	vim_open(&vim, list->http, &options);
	if (vim_connect(vim, &fresh, &err) != 0) {
		checklist_fail(list, what, &err);
		if (err.code == ERR_TLS)
			certificate_print(list->http, o->address, &options.peer,
				&(struct certificate_place){ "eventProvider.vcenter", true });
	} else if (vim_access(vim, &access, &err) == 0 && *access.missing) {
		list->status = list->status > EXIT_FORBIDDEN ? list->status : EXIT_FORBIDDEN;
		checklist_say(list, false, what,
			"the account lacks %s on the root folder: give it the role Read-only there, with propagation",
			access.missing);
	} else {
		checklist_say(list, true, what, "%s, logged in, %s", vim_about(vim)->name,
			access.known ? "may read" : "permissions unknown");
	}
	vim_close(vim);
}

static void
check_webhook(struct checklist *list, const char *name, const struct webhook_options *o)
{
	struct buf found;
	char what[160];
	struct err err;

	checklist_label(what, "webhook", name);
	buf_init(&found, CONFIG_FILE_MAX);
	if (webhook_check(o, &found, &err) == 0)
		checklist_say(list, true, what, "%s", buf_str(&found));
	else
		checklist_fail(list, what, &err);
	buf_free(&found);
}

static void
check_horizon(struct checklist *list, const char *name, const struct horizon_options *o)
{
	struct horizon_options options = *o;
	struct horizon_query query = { .page = 1, .size = 1 };
	struct horizon_page page;
	struct horizon_api *api;
	bool fresh, more;
	char what[160];
	struct err err;

	checklist_label(what, "Horizon", name);
	options.timeout_ms = CHECKLIST_WAIT_MS;
	query.to_ms = clock_wall_us() / 1000;
	horizon_page_init(&page);
	horizon_api_open(&api, list->http, &options);
	if (horizon_api_connect(api, &fresh, &err) == 0 &&
		horizon_api_read(api, &query, &page, &more, &err) == 0) {
		checklist_say(list, true, what, "logged in, may read events");
	} else {
		struct http_peer peer;

		checklist_fail(list, what, &err);
		source_server_peer(&o->server, &peer);
		if (err.code == ERR_TLS)
			certificate_print(list->http, o->address, &peer,
				&(struct certificate_place){ "eventProvider.horizon", true });
	}
	horizon_api_close(api);
	horizon_page_free(&page);
}

void
connect_source(struct checklist *list, const char *name, const struct source_choice *choice)
{
	if (choice->source == &vcenter_source)
		check_vcenter(list, name, choice->options);
	else if (choice->source == &webhook_source)
		check_webhook(list, name, choice->options);
	else if (choice->source == &horizon_source)
		check_horizon(list, name, choice->options);
}

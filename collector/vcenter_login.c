// SPDX-License-Identifier: Apache-2.0
#include "vcenter_login.h"

#include <string.h>

#include "mem.h"
#include "vcenter_metrics.h"

void
vcenter_login_free(struct vcenter_login *l)
{
	mem_free_secret(l->refused);
	l->refused = NULL;
}

static void
remember_refused(struct vcenter_login *l)
{
	struct err ignored;

	vcenter_login_free(l);
	if (secret_read(l->password, &l->refused, &ignored) != 0)
		l->refused = NULL;
}

int
vcenter_login_connect(struct vcenter_login *l, struct vim *vim, bool *fresh, struct err *err)
{
	if (vim_connect(vim, fresh, err) != 0) {
		if (err->code == ERR_AUTH) {
			vcenter_metrics_session(true);
			remember_refused(l);
		}
		return -1;
	}
	if (*fresh)
		vcenter_login_free(l);
	return 0;
}

bool
vcenter_login_changed(const struct vcenter_login *l)
{
	struct err ignored;
	char *now = NULL;
	bool changed = false;

	if (l->refused != NULL && secret_read(l->password, &now, &ignored) == 0)
		changed = strcmp(l->refused, now) != 0;
	mem_free_secret(now);
	return changed;
}

// SPDX-License-Identifier: Apache-2.0
#include "vcenter_login.h"

#include "vcenter_metrics.h"

void
vcenter_login_free(struct vcenter_login *l)
{
	refused_secret_forget(&l->refused);
}

int
vcenter_login_connect(struct vcenter_login *l, struct vim *vim, bool *fresh, struct err *err)
{
	if (vim_connect(vim, fresh, err) != 0) {
		if (err->code == ERR_AUTH) {
			vcenter_metrics_session(true);
			refused_secret_remember(&l->refused, l->password);
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
	return refused_secret_changed(&l->refused, l->password);
}

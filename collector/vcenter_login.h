// SPDX-License-Identifier: Apache-2.0
/*
 * Logging in, and whether a refused login is worth another try: vCenter locks an account after
 * a few failures, so the same password is not tried again soon.
 */
#ifndef VCOURIER_VCENTER_LOGIN_H
#define VCOURIER_VCENTER_LOGIN_H

#include "config.h"
#include "refused_secret.h"
#include "vim.h"

struct vcenter_login {
	const struct secret *password; /* borrowed */
	struct refused_secret refused;
};

/* As vim_connect; remembers a password that was refused until another one is accepted. */
int vcenter_login_connect(
	struct vcenter_login *l, struct vim *vim, bool *fresh, struct err *err);

/* The password (file) is no longer the one that was refused. */
bool vcenter_login_changed(const struct vcenter_login *l);

void vcenter_login_free(struct vcenter_login *l);

#endif

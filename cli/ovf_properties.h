// SPDX-License-Identifier: Apache-2.0
/*
 * The OVF properties guestinfo.KEY of an appliance, as its user has them: the document ovfEnv
 * (`vmtoolsd --cmd "info-get guestinfo.ovfEnv"`), lines guestinfo.KEY=VALUE, or a script with
 * the options --prop:guestinfo.KEY=VALUE of ovftool.
 */
#ifndef VCOURIER_OVF_PROPERTIES_H
#define VCOURIER_OVF_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>

enum { OVF_PROPERTIES_MAX = 500, OVF_VALUE_MAX = 64 * 1024 };

struct ovf_property {
	char *key, *value; /* key without "guestinfo." */
	int line;          /* from 1 on */
	/* it was written for a shell, which would put in the value of a variable */
	bool has_variable;
};

struct ovf_properties {
	struct ovf_property property[OVF_PROPERTIES_MAX]; /* further ones are left out */
	size_t n;
};

/* Fills *list; a text of another kind has no properties. */
void ovf_properties_read(struct ovf_properties *list, const char *text);
void ovf_properties_free(struct ovf_properties *list); /* values may be passwords: wiped */

/* The value; NULL: not given, or empty. */
const char *ovf_properties_get(const struct ovf_properties *list, const char *key);

#endif

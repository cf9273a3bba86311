// SPDX-License-Identifier: Apache-2.0
/* Which of the older files of VEBA and the event router a file is. */
#ifndef VCOURIER_IMPORT_DETECT_H
#define VCOURIER_IMPORT_DETECT_H

#include "config.h"

enum import_kind {
	IMPORT_NONE,
	IMPORT_ROUTER_CONFIG, /* RouterConfig: read as it is, nothing to import */
	IMPORT_MANIFEST,      /* of Kubernetes: VSphereSource, HorizonSource, Secret, Trigger */
	IMPORT_ROUTER_JSON,   /* the event router's configuration of 0.3 and 0.4 */
	IMPORT_VALUES,        /* of the event router's Helm chart */
	IMPORT_PROPERTIES,    /* OVF properties of the appliance */
};

/* The first document decides. */
enum import_kind import_detect(const struct config *config);

/* Whether the text has OVF properties: ovfEnv, or lines guestinfo.KEY=VALUE. */
bool import_detect_properties(const char *text);

/* The kind of the file; IMPORT_NONE also when it cannot be read. */
enum import_kind import_detect_file(const char *path);

/* "a manifest of VEBA (VSphereSource)", for messages. */
const char *import_detect_name(enum import_kind kind);

#endif

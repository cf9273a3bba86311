// SPDX-License-Identifier: Apache-2.0
/* The console's own configuration file: one option table, as those of the daemons. */
#ifndef VCOURIER_CONSOLE_OPTIONS_H
#define VCOURIER_CONSOLE_OPTIONS_H

#include "bus_options.h"
#include "config.h"

#define CONSOLE_DEFAULT_PATH "/etc/vcourier/console.yaml"

enum proxy_role { PROXY_ROLE_NONE, PROXY_ROLE_VIEWER };

struct console_options { /* as in the file */
	struct bus_config bus;
	char *listen, **hosts;
	char *users_file;
	int64_t session_ms;
	struct {
		char *cert_file, *key_file;
	} tls;
	struct {
		char *header, **from;
		int role; /* enum proxy_role */
	} proxy;
	struct {
		char *user, *credentials_file; /* not both; neither: that of bus */
		struct secret password;
	} operator;
	char *metrics, *docs_url;
	struct {
		int level, format; /* enum log_level, enum log_format */
	} log;
};

extern const struct config_field console_fields[];

/*
 * Reads the file and checks it. On failure errors has the reasons. Release *out in either case.
 */
int console_options_load(
	const char *path, struct console_options *out, struct config_errors *errors);
void console_options_release(struct console_options *options);

#endif

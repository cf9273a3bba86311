// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "webhook_check.h"

#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "mem.h"
#include "webhook_tls.h"

static int
check_secret(const struct webhook_path *path, const struct secret *secret, struct err *err)
{
	char *value;

	if (!secret_is_set(secret))
		return 0;
	if (secret_read(secret, &value, err) != 0)
		return err_wrap(err, "%s", path->path);
	mem_free_secret(value);
	return 0;
}

static int
check_tls(const struct webhook_options *o, struct err *err)
{
	struct webhook_tls tls;

	if (webhook_tls_load(&tls, o->cert_file, o->key_file, err) != 0)
		return -1;
	webhook_tls_free(&tls);
	return 0;
}

int
webhook_check(const struct webhook_options *o, struct buf *text, struct err *err)
{
	const struct webhook_path *p;
	size_t n;
	int fd, port;

	if (check_tls(o, err) != 0)
		return -1;
	for (n = 0; (p = webhook_options_path(o, n)) != NULL; n++)
		if (check_secret(p, &p->password, err) != 0 ||
			check_secret(p, &p->token, err) != 0)
			return -1;
	buf_printf(text, "%zu path%s%s, %s ", n, n == 1 ? "" : "s",
		o->cert_file != NULL ? " over TLS" : "", o->bind);
	if (listener_open(o->bind, &fd, &port, err) == 0) {
		close(fd);
		buf_add_str(text, "is free");
		return 0;
	}
	if (strstr(err->text, "in use") == NULL)
		return err_wrap(err, "%s", o->bind);
	buf_add_str(text, "is in use, by a collector if one runs");
	return 0;
}

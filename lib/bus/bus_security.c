// SPDX-License-Identifier: Apache-2.0
/* Client credentials and server verification for a new connection. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "bus_private.h"

#include <string.h>

#include "file.h"
#include "mem.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

/*
 * cnats reports a missing file as a fault of the connection, and one of another kind in words
 * of OpenSSL. path NULL: none is configured. begins: what the file must have, n times; what:
 * its name for people.
 */
static int
check_file(const char *path, const char *begins, size_t n, const char *what, struct err *err)
{
	struct buf text;
	const char *at;
	int rc;

	if (path == NULL)
		return 0;
	buf_init(&text, FILE_MAX);
	rc = file_read(path, &text, NULL, err);
	if (rc != 0) {
		/* a larger one is for cnats to read */
		rc = err->code == ERR_LIMIT ? 0 : -1;
		err->code = rc != 0 ? ERR_CONFIG : ERR_NONE;
	} else {
		for (at = buf_str(&text); n > 0 && (at = strstr(at, begins)) != NULL; n--)
			at += strlen(begins);
		if (n > 0)
			rc = err_set(err, ERR_CONFIG, "%s: no %s", path, what);
	}
	mem_wipe(text.data, text.cap);
	buf_free(&text);
	return rc;
}

static int
check_files(const struct bus_options *o, struct err *err)
{
	static const char certificate[] = "CERTIFICATE-----", key[] = "PRIVATE KEY-----";

	if (check_file(o->ca_file, certificate, 1, "certificate in PEM", err) != 0 ||
		check_file(o->cert_file, certificate, 1, "certificate in PEM", err) != 0 ||
		check_file(o->key_file, key, 1, "private key in PEM", err) != 0)
		return -1;
	/* a JWT, and the seed of its user */
	return check_file(o->credentials_file, "-----BEGIN", 2, "NATS credentials", err);
}

/*
 * A secret of one line: a line end in the CONNECT of the NATS protocol would end the command,
 * and the server closes the connection without a reason.
 */
static int
read_line(const struct secret *from, char **out, struct err *err)
{
	if (secret_read(from, out, err) != 0)
		return -1;
	if (strpbrk(*out, "\r\n") == NULL)
		return 0;
	mem_free_secret(*out);
	*out = NULL;
	return err_set(err, ERR_CONFIG, "%s%sthe password of NATS has more than one line",
		from->file != NULL ? from->file : "", from->file != NULL ? ": " : "");
}

static natsStatus
set_credentials(natsOptions *opts, const struct bus_options *o, struct err *err)
{
	char *secret = NULL;
	natsStatus s = NATS_OK;

	if (secret_is_set(o->token)) {
		if (read_line(o->token, &secret, err) != 0)
			return NATS_ERR;
		s = natsOptions_SetToken(opts, secret);
	} else if (o->user != NULL) {
		if (secret_is_set(o->password) && read_line(o->password, &secret, err) != 0)
			return NATS_ERR;
		s = natsOptions_SetUserInfo(opts, o->user, secret ? secret : "");
	}
	mem_free_secret(secret);
	/*
	 * cnats 3.4.1 makes an invalid signature once in 256 connects; the thread then connects
	 * again
	 */
	if (s == NATS_OK && o->credentials_file != NULL)
		s = natsOptions_SetUserCredentialsFromFiles(opts, o->credentials_file, NULL);
	return s;
}

bool
bus_uses_tls(const struct bus_options *o)
{
	size_t i;

	for (i = 0; o->urls[i] != NULL; i++)
		if (strncmp(o->urls[i], "tls://", 6) == 0)
			return true;
	return o->ca_file != NULL || o->cert_file != NULL || o->insecure;
}

static natsStatus
set_tls(natsOptions *opts, const struct bus_options *o, struct bus_loop *loop)
{
	natsStatus s = NATS_OK;

	if (!bus_uses_tls(o))
		return NATS_OK;
	if (loop != NULL)
		s = bus_loop_use(loop, opts);
	if (s == NATS_OK)
		s = natsOptions_SetSecure(opts, true);
	if (s == NATS_OK && o->ca_file != NULL)
		s = natsOptions_LoadCATrustedCertificates(opts, o->ca_file);
	if (s == NATS_OK && o->cert_file != NULL)
		s = natsOptions_LoadCertificatesChain(
			opts, o->cert_file, o->key_file ? o->key_file : o->cert_file);
	if (s == NATS_OK && o->insecure)
		s = natsOptions_SkipServerVerification(opts, true);
	return s;
}

natsStatus
bus_set_security(
	natsOptions *opts, const struct bus_options *o, struct bus_loop *loop, struct err *err)
{
	natsStatus s;

	if (check_files(o, err) != 0)
		return NATS_ERR;
	s = set_tls(opts, o, loop);
	return s == NATS_OK ? set_credentials(opts, o, err) : s;
}

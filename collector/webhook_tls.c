// SPDX-License-Identifier: Apache-2.0
#include "webhook_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "file.h"
#include "mem.h"

enum { PEM_MAX = 256 * 1024 };

static int
read_pem(const char *path, char **out, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, PEM_MAX);
	rc = file_read(path, &text, NULL, err);
	if (rc == 0 && text.len == 0)
		rc = err_set(err, ERR_CONFIG, "%s: the file is empty", path);
	if (rc == 0)
		*out = mem_strndup(text.data, text.len);
	mem_wipe(text.data, text.cap);
	buf_free(&text);
	return rc;
}

/* A key with a passphrase is refused: the process cannot ask for it. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static int
check_pair(const struct webhook_tls *tls, const char *cert_file, const char *key_file,
	struct err *err)
{
	BIO *cert_bio = BIO_new_mem_buf(tls->cert, -1),
	    *key_bio = BIO_new_mem_buf(tls->key, -1);
	X509 *cert = PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
	int rc = 0;

	if (cert == NULL)
		rc = err_set(err, ERR_CONFIG, "%s: no certificate in PEM", cert_file);
	else if (key == NULL)
		rc = err_set(err, ERR_CONFIG, "%s: no private key in PEM without a passphrase",
			key_file);
	else if (X509_check_private_key(cert, key) != 1)
		rc = err_set(err, ERR_CONFIG, "%s: not the key of the certificate in %s",
			key_file, cert_file);
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	ERR_clear_error();
	return rc;
}

int
webhook_tls_load(
	struct webhook_tls *tls, const char *cert_file, const char *key_file, struct err *err)
{
	*tls = (struct webhook_tls){ .cert = NULL };
	if (cert_file == NULL)
		return 0;
	if (read_pem(cert_file, &tls->cert, err) == 0 &&
		read_pem(key_file, &tls->key, err) == 0 &&
		check_pair(tls, cert_file, key_file, err) == 0)
		return 0;
	webhook_tls_free(tls);
	return -1;
}

void
webhook_tls_free(struct webhook_tls *tls)
{
	free(tls->cert);
	mem_free_secret(tls->key);
	*tls = (struct webhook_tls){ .cert = NULL };
}

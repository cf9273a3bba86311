// SPDX-License-Identifier: Apache-2.0
/* What a certificate says, for people who have to decide whether to trust it. */
#define _DEFAULT_SOURCE /* timegm */
#include "http_internal.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void
http_certificate_hex(const unsigned char *digest, unsigned len, char *out)
{
	static const char hex[] = "0123456789ABCDEF";

	*out = '\0';
	for (unsigned i = 0; i < len; i++) {
		*out++ = hex[digest[i] >> 4];
		*out++ = hex[digest[i] & 15];
		*out++ = i + 1 < len ? ':' : '\0';
	}
}

static void
copy_name(const X509_NAME *name, char *out, size_t size)
{
	BIO *text = BIO_new(BIO_s_mem());
	int n = 0;

	out[0] = '\0';
	if (text == NULL)
		return;
	if (X509_NAME_print_ex(
		    text, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(text, out, (int)size - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(text);
}

static int64_t
microseconds(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * 1000000 : INT64_MIN;
}

static void
add_alternative(char *out, size_t size, const GENERAL_NAME *name)
{
	size_t used = strlen(out);
	const char *comma = used != 0 ? ", " : "";
	char address[INET6_ADDRSTRLEN] = "";

	if (name->type == GEN_DNS) {
		snprintf(out + used, size - used, "%s%.*s", comma,
			ASN1_STRING_length(name->d.dNSName),
			(const char *)ASN1_STRING_get0_data(name->d.dNSName));
	} else if (name->type == GEN_IPADD) {
		int len = ASN1_STRING_length(name->d.iPAddress);

		if ((len == 4 || len == 16) &&
			inet_ntop(len == 4 ? AF_INET : AF_INET6,
				ASN1_STRING_get0_data(name->d.iPAddress), address,
				sizeof(address)) != NULL)
			snprintf(out + used, size - used, "%s%s", comma, address);
	}
}

static void
copy_alternatives(X509 *x509, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_alternative(out, size, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
}

void
http_certificate_fill(struct http_certificate *c, void *leaf)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	X509 *x509 = leaf;
	unsigned len = 0;

	copy_name(X509_get_subject_name(x509), c->subject, sizeof(c->subject));
	copy_name(X509_get_issuer_name(x509), c->issuer, sizeof(c->issuer));
	copy_alternatives(x509, c->names, sizeof(c->names));
	c->not_before_us = microseconds(X509_get0_notBefore(x509));
	c->not_after_us = microseconds(X509_get0_notAfter(x509));
	c->self_signed = X509_NAME_cmp(
				 X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
	if (X509_digest(x509, EVP_sha256(), digest, &len) == 1)
		http_certificate_hex(digest, len, c->sha256);
}

// SPDX-License-Identifier: Apache-2.0
/* HTTP client: which certificates of a server are accepted. */
#include "test.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>

#include "http_lab.h"

static const struct server_answer script[] = {
	{ "/ok", "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", THEN_NEXT_REQUEST,
		NULL },
	{ NULL, NULL, THEN_CLOSE, NULL },
};

/* A self-signed certificate for 127.0.0.1's server; its SHA-256 in colon hex. */
static SSL_CTX *
self_signed(char *thumbprint)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	unsigned char digest[32];
	unsigned n;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
		(const unsigned char *)"x", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(tls, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	assert_int_equal(X509_digest(cert, EVP_sha256(), digest, &n), 1);
	for (unsigned i = 0; i < n; i++)
		sprintf(thumbprint + 3 * i, "%02X%s", digest[i], i + 1 < n ? ":" : "");
	X509_free(cert);
	EVP_PKEY_free(key);
	return tls;
}

static void
certificates(void **state)
{
	char right[96], lower[96], wrong[96];
	SSL_CTX *tls = self_signed(right);
	struct http_peer peers[] = {
		{ .insecure = true },
		{ .thumbprint = right },
		{ .thumbprint = lower },
		{ 0 },
		{ .thumbprint = wrong },
		{ .ca_pem = "not a certificate", .ca_only = true },
		{ .ca_file = "/nonexistent", .ca_only = true },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, script, tls);
	strcpy(wrong, right);
	wrong[0] = right[0] == '0' ? '1' : '0';
	for (size_t i = 0; i <= strlen(right); i++)
		lower[i] = (char)(right[i] >= 'A' && right[i] <= 'F' ? right[i] + 32
								     : right[i]);
	for (size_t i = 0; i < COUNT(peers); i++) {
		struct http_request *req;
		struct http_response rsp;
		struct err err;
		bool ok = i < 3;

		/*
		 * one connection at a time: the server is that simple, and would wait on a kept
		 * one
		 */
		http_close(f.http);
		assert_int_equal(http_open(&f.http, &err), 0);
		req = request(&f, "/ok");
		req->peer = &peers[i];
		assert_int_equal(http_perform(f.http, req, &rsp, &err), ok ? 0 : -1);
		assert_int_equal(rsp.error, ok ? ERR_NONE : ERR_TLS);
		assert_string_equal(http_seen_thumbprint(f.http), i == 4 ? right : "");
		if (i == 4)
			assert_non_null(strstr(err.text, right));
	}
	fixture_stop(&f);
	SSL_CTX_free(tls);
}

/* The certificate is read whether it is trusted or not, and no request follows. */
static void
a_look(void **state)
{
	char right[96], port[64];
	SSL_CTX *tls = self_signed(right);
	const struct http_peer peers[] = { { 0 }, { .thumbprint = "00" },
		{ .insecure = true } };
	struct http_certificate c;
	struct fixture f;
	struct err err;

	(void)state;
	fixture_start(&f, script, tls);
	snprintf(port, sizeof(port), "https://127.0.0.1:%d/ok", f.server.port);
	for (size_t i = 0; i < COUNT(peers); i++) {
		assert_int_equal(
			http_look_at_certificate(f.http, port, &peers[i], &c, &err), 0);
		assert_string_equal(c.sha256, right);
		assert_string_equal(c.subject, "CN=x");
		assert_string_equal(c.issuer, "CN=x");
		assert_string_equal(c.names, "");
		assert_true(c.self_signed);
		/* self_signed makes it valid from an hour ago for an hour */
		assert_int_equal(c.not_after_us - c.not_before_us, 7200 * INT64_C(1000000));
	}
	assert_int_equal(
		http_look_at_certificate(f.http, "http://127.0.0.1/", &peers[0], &c, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(
		http_look_at_certificate(f.http, "https://127.0.0.1:1/", &peers[0], &c, &err),
		-1);
	assert_int_equal(err.code, ERR_CONNECT);
	fixture_stop(&f);
	SSL_CTX_free(tls);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates),
		cmocka_unit_test(a_look),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* TLS of a transfer: trusted authorities and the client certificate. */
#include "http_internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

/*
 * libcurl caches the parsed CA file for this time; without the cache loading the system's
 * bundle costs 10 ms of CPU for each handshake. Short, so that a rotated file is noticed.
 */
enum { CA_CACHE_S = 60 };

/* libcurl's defaults, as the distribution built them. */
void
http_tls_open(struct http *http)
{
	const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);

	http->ca_file = built->cainfo != NULL && access(built->cainfo, R_OK) == 0
		? built->cainfo
		: NULL;
	http->ca_dir = built->capath;
}

/* Hex digits of a thumbprint without its colons and blanks, upper case; the number of them. */
static size_t
bare_hex(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++) {
		char c = *text;

		if (c == ':' || c == ' ')
			continue;
		out[n++] = (char)(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
	}
	out[n] = '\0';
	return n;
}

/*
 * Replaces the chain check in every full handshake: only the expected leaf certificate is
 * accepted.
 */
static int
verify_thumbprint(X509_STORE_CTX *store, void *arg)
{
	struct transfer *t = arg;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	unsigned char digest[EVP_MAX_MD_SIZE];
	char want[HTTP_THUMBPRINT_SIZE] = "", seen[HTTP_THUMBPRINT_SIZE],
	     seen_bare[HTTP_THUMBPRINT_SIZE] = "";
	unsigned len = 0;
	bool sha1 = bare_hex(t->req.peer->thumbprint, want, sizeof(want)) == 40;

	t->http->seen_thumbprint[0] = '\0';
	t->wrong_thumbprint = false;
	if (leaf == NULL ||
		X509_digest(leaf, sha1 ? EVP_sha1() : EVP_sha256(), digest, &len) != 1) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
		return 0;
	}
	http_certificate_hex(digest, len, seen);
	bare_hex(seen, seen_bare, sizeof(seen_bare));
	/* in constant time, so that the time does not show how many bytes agree */
	if (CRYPTO_memcmp(seen_bare, want, sizeof(want)) == 0) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	memcpy(t->http->seen_thumbprint, seen, sizeof(seen));
	t->wrong_thumbprint = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/*
 * The check that OpenSSL does anyway. Behind an https:// proxy the reason of a failure does not
 * get to libcurl.
 */
static int
verify_chain(X509_STORE_CTX *store, void *arg)
{
	struct transfer *t = arg;
	int valid = X509_verify_cert(store);

	if (valid != 1)
		t->chain_problem = X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(store));
	return valid;
}

/* For http_look_at_certificate: nothing is sent to a peer that was not checked. */
static int
look(X509_STORE_CTX *store, void *arg)
{
	struct transfer *t = arg;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	if (leaf != NULL)
		http_certificate_fill(t->req.certificate, leaf);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *transfer)
{
	const struct transfer *t = transfer;

	(void)easy;
	/* libcurl calls this for both handshakes; the thumbprint is the peer's */
	if (http_proxy_handshake(t))
		return CURLE_OK;
	/* no session reuse: the connection outlives the transfer that the callback refers to */
	SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl_ctx,
		t->req.certificate != NULL ? look
			: t->req.peer != NULL && t->req.peer->thumbprint != NULL
			? verify_thumbprint
			: verify_chain,
		transfer);
	return CURLE_OK;
}

static void
set_blob(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)pem, .len = strlen(pem), .flags = CURL_BLOB_COPY
	};

	curl_easy_setopt(easy, option, &blob);
}

static void
trust(struct transfer *t, const struct http_peer *peer)
{
	const char *system_file = t->http->ca_file, *system_dir = t->http->ca_dir;
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
	if (peer->ca_pem != NULL) {
		set_blob(easy, CURLOPT_CAINFO_BLOB, peer->ca_pem);
		curl_easy_setopt(easy, CURLOPT_CAPATH, peer->ca_only ? NULL : system_dir);
	} else if (peer->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, peer->ca_only ? NULL : system_dir);
	} else {
		/* libcurl can cache one file without a directory */
		curl_easy_setopt(easy, CURLOPT_CAINFO, system_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, system_file ? NULL : system_dir);
	}
}

/* The client certificate, for a server that requests one. */
static void
present(CURL *easy, const struct http_peer *peer)
{
	if (peer->cert_pem != NULL)
		set_blob(easy, CURLOPT_SSLCERT_BLOB, peer->cert_pem);
	else if (peer->cert_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, peer->cert_file);
	if (peer->key_pem != NULL)
		set_blob(easy, CURLOPT_SSLKEY_BLOB, peer->key_pem);
	else if (peer->key_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, peer->key_file);
}

int
http_tls_setup(struct transfer *t, struct err *err)
{
	static const struct http_peer anyone;
	const struct http_peer *peer = t->req.peer ? t->req.peer : &anyone;
	bool pinned = peer->thumbprint != NULL && !peer->insecure;
	bool behind_tls = t->proxy != NULL && t->proxy->kind == HTTP_PROXY_HTTPS;
	CURL *easy = t->easy;

	if (t->plain) /* setting up TLS costs more than everything else */
		return 0;
	/*
	 * libcurl reuses a connection only for the same values of these two options, and
	 * ignores the callback. Chain and host name, neither, and thumbprint have three
	 * different pairs, so that no connection is reused for another kind.
	 */
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, peer->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, peer->insecure || pinned ? 0L : 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	trust(t, peer);
	if (t->req.certificate != NULL)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (t->req.certificate != NULL || pinned || (behind_tls && !peer->insecure)) {
		if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) != CURLE_OK ||
			curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t) != CURLE_OK)
			return err_set(err, ERR_TLS,
				"this libcurl cannot check certificates (not built with OpenSSL)");
	}
	present(easy, peer);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "sigv4a.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define ALGORITHM "AWS4-ECDSA-P256-SHA256"

enum { CANONICAL_MAX = 256 * 1024, TRIES_MAX = 254, POINT_SIZE = 65, SIGNATURE_MAX = 80 };

void
sigv4a_init(struct sigv4a *s, const char *service, const char *region_set)
{
	*s = (struct sigv4a){ .service = mem_strdup(service),
		.region_set = mem_strdup(region_set) };
}

static void
drop_credentials(struct sigv4a *s)
{
	EVP_PKEY_free(s->key);
	free(s->access_key);
	mem_free_secret(s->token);
	s->key = NULL;
	s->access_key = s->token = NULL;
}

void
sigv4a_free(struct sigv4a *s)
{
	drop_credentials(s);
	free(s->service);
	free(s->region_set);
	*s = (struct sigv4a){ 0 };
}

/*
 * One attempt of NIST SP 800-108 in counter mode: HMAC over 1, the algorithm, 0, the access
 * key, the attempt, 256.
 */
static void
candidate(const char *access_key, const char *secret_key, unsigned char attempt,
	unsigned char out[32])
{
	static const char one[] = { 0, 0, 0, 1 }, bits[] = { 0, 0, 1, 0 };
	struct buf key, text;
	unsigned len = 32;

	buf_init(&key, CANONICAL_MAX);
	buf_init(&text, CANONICAL_MAX);
	buf_add_str(&key, "AWS4A");
	buf_add_str(&key, secret_key);
	buf_add(&text, one, sizeof(one));
	buf_add(&text, ALGORITHM, sizeof(ALGORITHM)); /* with its NUL */
	buf_add_str(&text, access_key);
	buf_add_char(&text, (char)attempt);
	buf_add(&text, bits, sizeof(bits));
	HMAC(EVP_sha256(), buf_str(&key), (int)key.len, (const unsigned char *)buf_str(&text),
		text.len, out, &len);
	mem_wipe(key.data, key.cap);
	buf_free(&key);
	buf_free(&text);
}

/* The key with private part d; NULL when OpenSSL fails. */
static EVP_PKEY *
key_of(const EC_GROUP *group, const BIGNUM *d)
{
	EC_POINT *point = EC_POINT_new(group);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	unsigned char public[POINT_SIZE];
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (point != NULL && build != NULL && ctx != NULL &&
		EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
		EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public,
			sizeof(public), NULL) != 0 &&
		OSSL_PARAM_BLD_push_utf8_string(
			build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			build, OSSL_PKEY_PARAM_PUB_KEY, public, sizeof(public)) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	EC_POINT_free(point);
	return key;
}

/*
 * The first candidate not above n - 2, plus one: uniform over 1 .. n - 1, where n is the order
 * of the group.
 */
static EVP_PKEY *
derive_key(const char *access_key, const char *secret_key)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *limit = BN_new(), *d = BN_secure_new();
	EVP_PKEY *key = NULL;
	unsigned char bytes[32];

	if (group != NULL && limit != NULL && d != NULL &&
		EC_GROUP_get_order(group, limit, NULL) == 1 && BN_sub_word(limit, 2) == 1) {
		for (unsigned attempt = 1; attempt <= TRIES_MAX; attempt++) {
			candidate(access_key, secret_key, (unsigned char)attempt, bytes);
			if (BN_bin2bn(bytes, sizeof(bytes), d) != NULL &&
				BN_cmp(d, limit) <= 0) {
				if (BN_add_word(d, 1) == 1)
					key = key_of(group, d);
				break;
			}
		}
	}
	mem_wipe(bytes, sizeof(bytes));
	BN_clear_free(d);
	BN_free(limit);
	EC_GROUP_free(group);
	return key;
}

int
sigv4a_set_credentials(struct sigv4a *s, const char *access_key, const char *secret_key,
	const char *token, struct err *err)
{
	drop_credentials(s);
	s->key = derive_key(access_key, secret_key);
	if (s->key == NULL)
		return err_set(
			err, ERR_SYSTEM, "OpenSSL gave no P-256 key for the credentials");
	s->access_key = mem_strdup(access_key);
	s->token = token != NULL && *token != '\0' ? mem_strdup(token) : NULL;
	return 0;
}

/* Appends the ECDSA signature of text, DER in hex. */
static int
add_signature(struct sigv4a *s, const struct buf *text, struct buf *out, struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	int rc = 0;

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s->key) != 1 ||
		EVP_DigestSign(ctx, signature, &len, (const unsigned char *)buf_str(text),
			text->len) != 1)
		rc = err_set(err, ERR_SYSTEM, "OpenSSL did not sign");
	else
		sigv4_add_hex(out, signature, len);
	EVP_MD_CTX_free(ctx);
	return rc;
}

int
sigv4a_sign(struct sigv4a *s, const struct sigv4_request *request, int64_t now_s,
	struct buf *authorization, struct err *err)
{
	char date[SIGV4_DATE_SIZE];
	struct sigv4_header more[4] = { { "x-amz-date", date },
		{ "x-amz-region-set", s->region_set },
		{ s->token != NULL ? "x-amz-security-token" : NULL, s->token } };
	struct buf canonical, names, text;
	int rc;

	if (s->key == NULL)
		return err_set(err, ERR_AUTH, "there are no AWS credentials yet");
	sigv4_date(now_s, date);
	buf_init(&canonical, CANONICAL_MAX);
	buf_init(&names, 4096);
	buf_init(&text, CANONICAL_MAX);
	rc = sigv4_canonical(request, more, &canonical, &names, err);
	if (rc == 0) {
		buf_printf(&text, ALGORITHM "\n%s\n%.8s/%s/aws4_request\n", date, date,
			s->service);
		sigv4_add_hash(&text, buf_str(&canonical), canonical.len);
		buf_printf(authorization,
			ALGORITHM
			" Credential=%s/%.8s/%s/aws4_request, SignedHeaders=%s, Signature=",
			s->access_key, date, s->service, buf_str(&names));
		rc = add_signature(s, &text, authorization, err);
	}
	if (canonical.data != NULL)
		mem_wipe(canonical.data, canonical.cap); /* it contains the token */
	buf_free(&canonical);
	buf_free(&names);
	buf_free(&text);
	return rc;
}

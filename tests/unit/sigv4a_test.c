// SPDX-License-Identifier: Apache-2.0
/*
 * Signature Version 4A. Signatures are random, so they are verified: with the public key that
 * AWS's own test suite (aws-c-auth, v4a/get-vanilla) gives for its example credentials, over
 * the string to sign written out here.
 */
#include "test.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "sigv4a.h"

#define ACCESS_KEY "AKIDEXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define X "b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1"
#define Y "865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static size_t
unhex(const char *hex, unsigned char *out)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (unsigned char)byte;
	return n;
}

static int
verify(const char *text, const char *signature_hex)
{
	unsigned char public[65] = { 4 }, signature[100];
	size_t n = unhex(signature_hex, signature);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	OSSL_PARAM params[3];
	EVP_PKEY *key = NULL;
	int rc;

	unhex(X Y, public + 1);
	params[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, (char[]){ "prime256v1" }, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
		OSSL_PKEY_PARAM_PUB_KEY, public, sizeof(public));
	params[2] = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
	rc = EVP_DigestVerify(md, signature, n, (const unsigned char *)text, strlen(text));
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static void
signs_what_aws_verifies(void **state)
{
	static const char canonical[] =
		"GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"
		"x-amz-region-set:us-east-1\n\nhost;x-amz-date;x-amz-region-set\n" EMPTY;
	static const char prefix[] =
		"AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, "
		"SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=";
	struct sigv4_header host = { "Host", "example.amazonaws.com" };
	struct sigv4_request request = {
		.method = "GET", .path = "/", .query = "", .header = &host, .n_headers = 1
	};
	struct buf out, text;
	struct sigv4a s;
	struct err err;

	(void)state;
	buf_init(&out, 4096);
	buf_init(&text, 4096);
	buf_add_str(&text,
		"AWS4-ECDSA-P256-SHA256\n20150830T123600Z\n20150830/service/aws4_request\n");
	sigv4_add_hash(&text, canonical, strlen(canonical));
	sigv4a_init(&s, "service", "us-east-1");
	assert_int_equal(sigv4a_sign(&s, &request, 1440938160, &out, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_int_equal(sigv4a_set_credentials(&s, ACCESS_KEY, SECRET_KEY, NULL, &err), 0);
	for (int i = 0; i < 20; i++) {
		buf_clear(&out);
		assert_int_equal(sigv4a_sign(&s, &request, 1440938160, &out, &err), 0);
		assert_memory_equal(buf_str(&out), prefix, strlen(prefix));
		assert_int_equal(verify(buf_str(&text), buf_str(&out) + strlen(prefix)), 1);
	}
	assert_int_equal(verify("something else", buf_str(&out) + strlen(prefix)), 0);
	/* another secret, another key */
	assert_int_equal(sigv4a_set_credentials(&s, ACCESS_KEY, "other", "token", &err), 0);
	buf_clear(&out);
	assert_int_equal(sigv4a_sign(&s, &request, 1440938160, &out, &err), 0);
	assert_non_null(strstr(buf_str(&out),
		"SignedHeaders=host;x-amz-date;x-amz-region-set;x-amz-security-token,"));
	assert_int_equal(verify(buf_str(&text), strstr(buf_str(&out), "Signature=") + 10), 0);
	sigv4a_free(&s);
	buf_free(&out);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(signs_what_aws_verifies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

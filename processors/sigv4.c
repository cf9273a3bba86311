// SPDX-License-Identifier: Apache-2.0
#include "sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

enum { CANONICAL_MAX = 256 * 1024 };

void
sigv4_init(struct sigv4 *s, const char *service, const char *region)
{
	*s = (struct sigv4){ .service = mem_strdup(service), .region = mem_strdup(region) };
	buf_init(&s->canonical, CANONICAL_MAX);
	buf_init(&s->text, CANONICAL_MAX);
}

static void
drop_credentials(struct sigv4 *s)
{
	free(s->access_key);
	mem_free_secret(s->secret_key);
	mem_free_secret(s->token);
	mem_wipe(s->key, sizeof(s->key));
	s->day[0] = '\0';
	s->access_key = s->secret_key = s->token = NULL;
}

void
sigv4_free(struct sigv4 *s)
{
	drop_credentials(s);
	free(s->service);
	free(s->region);
	if (s->canonical.data != NULL)
		mem_wipe(s->canonical.data, s->canonical.cap); /* it contains the token */
	buf_free(&s->canonical);
	buf_free(&s->text);
	*s = (struct sigv4){ 0 };
}

void
sigv4_set_credentials(
	struct sigv4 *s, const char *access_key, const char *secret_key, const char *token)
{
	drop_credentials(s);
	s->access_key = mem_strdup(access_key);
	s->secret_key = mem_strdup(secret_key);
	s->token = token != NULL && *token != '\0' ? mem_strdup(token) : NULL;
}

void
sigv4_date(int64_t now_s, char date[SIGV4_DATE_SIZE])
{
	char text[CLOCK_TEXT_SIZE];
	size_t n = 0;

	clock_format(now_s * 1000 * 1000, text);
	for (const char *p = text; *p != '\0' && n < SIGV4_DATE_SIZE - 1; p++)
		if (*p != '-' && *p != ':')
			date[n++] = *p;
	date[n] = '\0';
}

static void
hmac(const void *key, size_t key_len, const char *text, unsigned char out[32])
{
	unsigned len = 32;

	HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out,
		&len);
}

/* The key of the day: nested HMACs of date, region and service. */
static void
derive_key(struct sigv4 *s, const char *day)
{
	struct buf first;

	if (strcmp(s->day, day) == 0)
		return;
	buf_init(&first, CANONICAL_MAX);
	buf_add_str(&first, "AWS4");
	buf_add_str(&first, s->secret_key);
	hmac(buf_str(&first), first.len, day, s->key);
	mem_wipe(first.data, first.cap);
	buf_free(&first);
	hmac(s->key, sizeof(s->key), s->region, s->key);
	hmac(s->key, sizeof(s->key), s->service, s->key);
	hmac(s->key, sizeof(s->key), "aws4_request", s->key);
	memcpy(s->day, day, sizeof(s->day));
}

int
sigv4_sign(struct sigv4 *s, const struct sigv4_request *request, int64_t now_s,
	struct buf *authorization, struct err *err)
{
	char date[SIGV4_DATE_SIZE], day[9] = { 0 };
	struct sigv4_header more[3] = { { "x-amz-date", date },
		{ s->token != NULL ? "x-amz-security-token" : NULL, s->token } };
	unsigned char signature[32];
	struct buf names;
	int rc;

	if (s->secret_key == NULL)
		return err_set(err, ERR_AUTH, "there are no AWS credentials yet");
	sigv4_date(now_s, date);
	memcpy(day, date, 8);
	buf_init(&names, 4096);
	buf_clear(&s->canonical);
	rc = sigv4_canonical(request, more, &s->canonical, &names, err);
	if (rc == 0) {
		buf_clear(&s->text);
		buf_printf(&s->text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n", date, day,
			s->region, s->service);
		sigv4_add_hash(&s->text, buf_str(&s->canonical), s->canonical.len);
		derive_key(s, day);
		hmac(s->key, sizeof(s->key), buf_str(&s->text), signature);
		buf_printf(authorization,
			"AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, "
			"SignedHeaders=%s, Signature=",
			s->access_key, day, s->region, s->service, buf_str(&names));
		sigv4_add_hex(authorization, signature, sizeof(signature));
	}
	buf_free(&names);
	return rc;
}

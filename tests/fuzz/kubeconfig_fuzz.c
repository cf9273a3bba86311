// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a kubeconfig, a NUL byte, a service account's token. What is read is complete: a
 * server that is a URL, PEM texts that are PEM, trust in these alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kube.h"
#include "text.h"

static void
check(const struct kube *kube)
{
	const char *const pem[] = { kube->ca_pem, kube->cert_pem, kube->key_pem };

	assert(text_starts(kube->server, "http://") || text_starts(kube->server, "https://"));
	assert(!text_ends(kube->server, "/") || strlen(kube->server) <= 8);
	for (size_t i = 0; i < sizeof(pem) / sizeof(pem[0]); i++)
		assert(pem[i] == NULL || strstr(pem[i], "-----BEGIN") != NULL);
	assert(kube->peer.ca_only == (kube->ca_pem != NULL || kube->ca_file != NULL));
	for (const char *p = kube->token; p != NULL && *p != '\0'; p++)
		assert(*p > ' ' && *p < 0x7f);
}

static void
check_account(const char *token)
{
	char *account = kube_account(token);
	const char *slash = account != NULL ? strchr(account, '/') : NULL;

	assert(account == NULL || (slash != NULL && slash != account && slash[1] != '\0'));
	free(account);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	char path[64];
	struct kube_options options = { .kubeconfig = path };
	struct kube kube = { .server = NULL };
	struct fuzz_parts parts;
	struct err err;

	strncpy(path, fuzz_file(data, len), sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	if (kube_load(&kube, &options, &err) == 0)
		check(&kube);
	else
		assert(kube.server == NULL && kube.token == NULL && err.text[0] != '\0');
	kube_free(&kube);
	fuzz_parts_init(&parts, data + len, size - len);
	fuzz_part(&parts);
	check_account(fuzz_part(&parts));
	fuzz_parts_free(&parts);
	return 0;
}

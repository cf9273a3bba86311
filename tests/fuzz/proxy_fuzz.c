// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a proxy's URL, NO_PROXY and a request's URL, a NUL byte between them. A proxy that is
 * read has an address, and no user or password in what is shown of it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_proxy.h"
#include "no_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 3), *no_proxy, *url;
	struct http_environment env = { .http_err.code = ERR_NONE };
	const struct http_proxy *proxy;
	struct err err;

	memcpy(text, data, size);
	memset(text + size, 0, 3);
	no_proxy = text + strlen(text) + 1;
	url = no_proxy + (no_proxy < text + size ? strlen(no_proxy) + 1 : 0);
	if (http_proxy_parse(&env.http, text, &err) == 0) {
		assert(env.http.url != NULL && strchr(env.http.url, '@') == NULL);
		assert(*env.http.address != '\0' && *env.http.address != ':');
	} else {
		env.http_err = err;
	}
	env.exceptions = no_proxy_parse(no_proxy);
	if (http_environment_proxy(&env, url, &proxy, &err) == 0)
		assert(proxy == NULL || proxy == &env.http);
	http_environment_free(&env);
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Options that are URLs. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

struct options {
	char *url;
};

static const struct config_field fields[] = {
	{ "url", CONFIG_STRING, offsetof(struct options, url), CONFIG_URL },
	{ NULL },
};

/* Nothing of a URL may be cut later on without a word. */
static void
a_long_url_is_refused(void **state)
{
	char file[] = "/tmp/vcourier-config-url-XXXXXX", text[CONFIG_URL_MAX + 20];
	int fd = mkstemp(file);

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct options options = { .url = NULL };
		struct config_errors errors;
		struct config *config;
		int len = snprintf(
			text, sizeof(text), "url: https://%0*d", CONFIG_URL_MAX - 8 + more, 1);

		assert_int_equal(pwrite(fd, text, (size_t)len, 0), len);
		config_errors_init(&errors);
		assert_int_equal(config_load(&config, file, &errors), 0);
		assert_int_equal(config_bind(config_root(config), fields, &options,
					 sizeof(options), &errors),
			-more);
		assert_int_equal(errors.n, more);
		if (more)
			assert_non_null(strstr(buf_str(&errors.text), "is longer than 2048"));
		config_release(fields, &options);
		config_free(config);
		config_errors_free(&errors);
	}
	close(fd);
	unlink(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_url_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a context of the nats CLI. What is read is usable: servers without user or password in
 * their URL, one way to log in or fewer texts than were given; a refusal has a reason.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bus_options.h"
#include "nats_context.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors;
	struct bus_config bus;
	struct err err = { .code = ERR_NONE };

	config_errors_init(&errors);
	config_bind(NULL, bus_fields, &bus, sizeof(bus), &errors);
	if (nats_context_parse((const char *)data, size, &bus, &err) != 0) {
		assert(err.code == ERR_CONFIG && err.text[0] != '\0');
	} else {
		assert(bus.urls != NULL);
		for (char **url = bus.urls; *url != NULL; url++) {
			assert(text_starts(*url, "nats://") || text_starts(*url, "tls://"));
			assert(strpbrk(*url, ", ") == NULL);
		}
		/* what the check lets through has no user in its URL */
		if (bus_config_check(NULL, &bus, &errors) == 0)
			for (char **url = bus.urls; *url != NULL; url++)
				assert(strchr(*url, '@') == NULL);
		assert(bus.api_prefix != NULL && bus.subject_prefix != NULL);
	}
	config_release(bus_fields, &bus);
	config_errors_free(&errors);
	return 0;
}

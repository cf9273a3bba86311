// SPDX-License-Identifier: Apache-2.0
/* vcourier health: for health checks of other programs of vcourier. */
#include "command_list.h"
#include "health.h"
#include "http.h"

enum { URL_MAX = 64 * 1024 };

static int
run(void *values, char **args, size_t n_args)
{
	const char *url = n_args > 0 ? args[0] : "http://" HEALTH_DEFAULT_ADDRESS "/readyz";
	struct buf host;
	bool valid;

	(void)values;
	buf_init(&host, URL_MAX);
	valid = http_url_host(url, &host);
	buf_free(&host);
	return valid ? health_ask("vcourier", url)
		     : command_usage_error(
			       &health_command, "\"%.60s\" is not an http or https URL", url);
}

static const struct command_option options[] = { { NULL } };

static const struct command_exit exits[] = { { 0, "ready (2xx)" }, { 1, "not ready" },
	{ EXIT_USAGE, "wrong usage" }, { 0, NULL } };

const struct command health_command = { .program = "vcourier",
	.name = "health",
	.summary = "ask a metrics port whether its process is ready",
	.arguments = "[URL]",
	.args_max = 1,
	.options = options,
	.about =
		"Gets URL (default http://127.0.0.1:8082/readyz) and prints the reply: for health "
		"checks of containers that have neither shell nor curl.",
	.exits = exits,
	.run = run };

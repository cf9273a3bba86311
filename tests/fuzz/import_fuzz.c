// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a file for `vcourier import`. What is written is a configuration file that can be
 * read: valid YAML, without a key twice, and no text of the input is taken for YAML or for a
 * variable, except the one that stands for an unknown user.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import_detect.h"
#include "import_read.h"
#include "mem.h"

static void
check_output(const struct import_plan *plan)
{
	struct config_errors errors;
	struct config *config;
	struct buf out;
	struct err err;

	buf_init(&out, 8 * 1024 * 1024);
	if (import_plan_write(plan, &out, &err) != 0) {
		assert(plan->n_sources == 0);
	} else if (out.len <= CONFIG_FILE_MAX) {
		config_errors_init(&errors);
		assert(config_load(&config, fuzz_file(buf_str(&out), out.len), &errors) == 0);
		assert(config_length(config_get(config_root(config), "eventProviders")) ==
			plan->n_sources);
		assert(config_length(config_get(config_root(config), "eventProcessors")) ==
			plan->n_backends);
		config_free(config);
		config_errors_free(&errors);
	}
	buf_free(&out);
}

static void
read_yaml(struct import_plan *plan, const char *text, size_t len)
{
	const struct config *list[1];
	struct config *config;

	if (config_load_manifest(&config, fuzz_file(text, len), &plan->errors) != 0)
		return;
	list[0] = config;
	switch (import_detect(config)) {
	case IMPORT_MANIFEST:
		import_manifest_read(plan, list, 1);
		break;
	case IMPORT_ROUTER_JSON:
		import_router_read(plan, config);
		break;
	case IMPORT_VALUES:
		import_values_read(plan, config);
		break;
	default:
		break;
	}
	config_free(config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_plan *plan = mem_alloc(sizeof(*plan));
	struct fuzz_parts parts;
	const char *text;
	size_t len;

	fuzz_parts_init(&parts, data, size);
	text = fuzz_rest(&parts, &len);
	import_plan_init(plan, NULL, NULL);
	if (import_detect_properties(text))
		import_properties_read(plan, "file", text);
	else
		read_yaml(plan, text, len);
	if (plan->errors.n == 0)
		check_output(plan);
	import_plan_free(plan);
	free(plan);
	fuzz_parts_free(&parts);
	return 0;
}

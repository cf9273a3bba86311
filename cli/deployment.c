// SPDX-License-Identifier: Apache-2.0
#include "deployment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "daemon.h"
#include "flags.h"
#include "mem.h"

/* ---- loading */

int
deployment_load(struct deployment *d, const char *path, struct config_errors *errors)
{
	size_t before = errors->n, i;

	memset(d, 0, sizeof(*d));
	router_config_load(&d->config, path, errors);
	config_errors_add(errors, &d->config.files_errors);
	d->source = mem_array(d->config.providers.n, sizeof(*d->source));
	d->dispatcher = mem_array(d->config.processors.n, sizeof(*d->dispatcher));
	for (i = 0; i < d->config.providers.n; i++)
		source_choice_bind(
			&d->config, &d->config.providers.entry[i], &d->source[i], errors);
	for (i = 0; i < d->config.processors.n; i++)
		dispatcher_options_bind(
			&d->config, &d->config.processors.entry[i], &d->dispatcher[i], errors);
	config_errors_sort(errors);
	return errors->n == before ? 0 : -1;
}

void
deployment_free(struct deployment *d)
{
	size_t i;

	for (i = 0; i < d->config.providers.n; i++)
		source_choice_release(&d->source[i]);
	for (i = 0; i < d->config.processors.n; i++)
		dispatcher_options_release(&d->dispatcher[i]);
	free(d->source);
	free(d->dispatcher);
	router_config_free(&d->config);
}

int
deployment_open(struct deployment *d, const char *path)
{
	struct config_errors errors;
	int rc;

	config_errors_init(&errors);
	rc = deployment_load(d, path != NULL ? path : FLAGS_DEFAULT_PATH, &errors);
	fputs(buf_str(&errors.text), stderr);
	if (rc != 0)
		deployment_free(d);
	config_errors_free(&errors);
	return rc == 0 ? EXIT_NOT_YET : EXIT_CONFIG;
}

/* ---- the table of the whole file */

const struct config_field *
deployment_table(void)
{
	static struct config_field table[32];
	const struct config_field *processor;
	size_t i;

	if (table[0].key != NULL)
		return table;
	processor = processor_options_table(
		dispatcher_options_fields, sizeof(struct dispatch_options));
	for (i = 0; router_fields[i].key != NULL && i < sizeof(table) / sizeof(table[0]) - 1;
		i++) {
		const char *key = router_fields[i].key;

		table[i] = router_fields[i];
		if (table[i].type != CONFIG_NODE)
			continue;
		table[i].fields = strncmp(key, "eventProvider", 13) == 0
			? source_choice_fields()
			: processor;
		table[i].item_size = key[strlen(key) - 1] == 's'; /* a list */
	}
	return table;
}

/* ---- the effective configuration */

static void
print_head(const struct router_entry *entry, struct buf *out)
{
	buf_printf(out, "  - type: %s\n    name: ", entry->type);
	config_print_text(entry->name, out);
	buf_add_char(out, '\n');
}

void
deployment_print(const struct deployment *d, struct buf *out)
{
	struct router_top top = d->config.top;
	size_t i;

	top.providers_from = NULL; /* what is in these files is printed */
	config_print(router_fields, &top, 0, out);
	if (d->config.providers.n != 0)
		buf_add_str(out, "eventProviders:\n");
	for (i = 0; i < d->config.providers.n; i++) {
		print_head(&d->config.providers.entry[i], out);
		buf_printf(out, "    %s:\n", d->config.providers.entry[i].type);
		config_print(d->source[i].source->fields, d->source[i].options, 6, out);
	}
	if (d->config.processors.n != 0)
		buf_add_str(out, "eventProcessors:\n");
	for (i = 0; i < d->config.processors.n; i++) {
		const struct processor_options *p = &d->dispatcher[i].processor;

		print_head(&d->config.processors.entry[i], out);
		config_print(dispatcher_options_fields, &d->dispatcher[i].common, 4, out);
		buf_printf(out, "    %s:\n", p->processor->block);
		config_print(p->processor->fields, p->config, 6, out);
	}
}

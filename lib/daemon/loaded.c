// SPDX-License-Identifier: Apache-2.0
#include "loaded.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void
loaded_free(const struct daemon_spec *spec, struct loaded *l)
{
	if (l == NULL)
		return;
	if (l->options != NULL)
		spec->release(l->options);
	free(l->options);
	router_config_free(&l->config);
	buf_free(&l->bind);
	free(l);
}

static const struct router_entries *
entries_of(const struct daemon_spec *spec, const struct loaded *l)
{
	return spec->provider ? &l->config.providers : &l->config.processors;
}

/* The start fails: whoever corrects the file wants to know all that is wrong in it. */
static void
add_other_errors(
	const struct daemon_spec *spec, const struct loaded *l, struct config_errors *errors)
{
	const struct router_entries *all = entries_of(spec, l);

	for (size_t i = 0; i < all->n; i++) {
		void *options;

		if (&all->entry[i] == l->entry)
			continue;
		options = mem_alloc(spec->options_size);
		spec->bind(&l->config, &all->entry[i], options, errors);
		spec->release(options);
		free(options);
	}
}

/* One vCenter whose file is wrong must not stop the collectors of the others. */
static void
take_file_errors(
	const struct daemon_spec *spec, const struct loaded *l, struct config_errors *errors)
{
	if (spec->provider && l->entry != NULL)
		config_errors_add_as_warnings(errors, &l->config.files_errors);
	else
		config_errors_add(errors, &l->config.files_errors);
}

/* Sets the entry; false: there is none, for a reason that is the command line's. */
static bool
pick(struct loaded *l, const struct daemon_spec *spec, const struct flags *flags,
	struct config_errors *errors)
{
	size_t before = errors->n;
	struct err err = { 0 };

	/* with errors, too: those of the entry are to be reported beside them */
	router_config_load(&l->config, flags->path, errors);
	l->entry = router_config_pick(entries_of(spec, l), flags->name, &err);
	take_file_errors(spec, l, errors);
	if (l->entry != NULL || errors->n != before)
		return true;
	config_error(errors, config_root(l->config.file), "%s: %s",
		spec->provider ? "eventProviders" : "eventProcessors", err.text);
	return err.code != ERR_USAGE;
}

struct loaded *
loaded_open(const struct daemon_spec *spec, const struct flags *flags,
	struct config_errors *errors, bool *usage)
{
	struct loaded *l = mem_alloc(sizeof(*l));
	size_t before = errors->n;

	buf_init(&l->bind, 256);
	*usage = !pick(l, spec, flags, errors);
	if (l->entry == NULL)
		goto fail;
	l->options = mem_alloc(spec->options_size);
	spec->bind(&l->config, l->entry, l->options, errors);
	if (errors->n != before)
		goto fail;
	if (flags->metrics != NULL)
		buf_add_str(&l->bind, flags->metrics);
	else
		router_config_metrics_bind(&l->config, l->entry, &l->bind);
	return l;
fail:
	add_other_errors(spec, l, errors);
	*usage = *usage && errors->n == before + 1;
	config_errors_sort(errors);
	loaded_free(spec, l);
	return NULL;
}

static bool
same_files(const struct provider_files *a, const struct provider_files *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(config_file_path(a->file[i]), config_file_path(b->file[i])) ==
				0 &&
			config_same(a->file[i], b->file[i], NULL);
	return same;
}

bool
loaded_differs_in_providers(const struct loaded *a, const struct loaded *b)
{
	static const char *const providers[] = { "eventProvider", "eventProviders",
		"eventProvidersFrom", NULL };
	const struct config *x = a->config.file, *y = b->config.file;

	return config_same(x, y, providers) &&
		(!config_same(x, y, NULL) || !same_files(&a->config.files, &b->config.files));
}

void
loaded_watch(const struct loaded *l, const struct daemon_spec *spec, const char *path,
	struct watched *watched)
{
	char *own[] = { (char *)l->entry->other_file, NULL };

	watched_set_with(watched, path, l->config.top.root_cas,
		spec->provider ? own : l->config.files.paths);
}

// SPDX-License-Identifier: Apache-2.0
#include "ce_overrides.h"

#include <string.h>

const struct config_field ce_overrides_fields[] = {
	{ "extensions", CONFIG_MAP, offsetof(struct ce_overrides, extensions),
		.help = "Names and values of the extensions. An extension that the event has already is replaced." },
	{ NULL },
};

int
ce_overrides_check(const struct ce_overrides *o, struct err *err)
{
	struct event probe; /* accepts what is an extension of an event */
	size_t n = 0, bytes = 0;
	int failed = 0;

	event_init(&probe);
	for (char **e = o->extensions; e != NULL && *e != NULL && !failed; e += 2) {
		n++;
		bytes += strlen(e[0]) + strlen(e[1]);
		if (n > CE_OVERRIDES_MAX || bytes > CE_OVERRIDES_BYTES_MAX)
			failed = err_set(err, ERR_CONFIG,
				"more than %d extensions, or more than %d bytes",
				CE_OVERRIDES_MAX, CE_OVERRIDES_BYTES_MAX);
		else if (e[1][0] == '\0')
			failed = err_set(err, ERR_CONFIG, "%.40s has no value", e[0]);
		else if (event_set(&probe, e[0], e[1], strlen(e[1]), err) != 0)
			failed = -1;
		else if (probe.n_extensions != n)
			failed = err_set(err, ERR_CONFIG,
				"%s is an attribute of CloudEvents, not an extension", e[0]);
	}
	event_free(&probe);
	if (!failed)
		return 0;
	err_wrap(err, "ceOverrides.extensions");
	err->code = ERR_CONFIG;
	return -1;
}

/* Replaces the value of the extension, or adds it. False: there is no room. */
static bool
set(struct event *ev, const char *name, const char *value)
{
	size_t i = 0;

	while (i < ev->n_extensions && strcmp(ev->extension[i].name, name) != 0)
		i++;
	if (i == EVENT_EXTENSIONS_MAX)
		return false;
	ev->extension[i] = (struct event_extension){
		.name = name, .value = value, .quoted = true
	};
	if (i == ev->n_extensions)
		ev->n_extensions++;
	return true;
}

const struct event *
ce_overrides_apply(const struct ce_overrides *o, const struct event *ev, struct event *with,
	struct err *err)
{
	if (o->extensions == NULL || *o->extensions == NULL)
		return ev;
	*with = *ev;
	with->json = NULL; /* the text without the extensions */
	for (char **e = o->extensions; *e != NULL; e += 2)
		if (!set(with, e[0], e[1])) {
			err_set(err, ERR_LIMIT,
				"with ceOverrides the event has more than %d extensions",
				EVENT_EXTENSIONS_MAX);
			return NULL;
		}
	return with;
}

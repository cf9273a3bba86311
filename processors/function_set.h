// SPDX-License-Identifier: Apache-2.0
/*
 * The functions of a directory. A set is filled from files (function_manifest.h), takes over
 * functions of the previous set whose absence is not confirmed yet, and is then only read.
 */
#ifndef VCOURIER_FUNCTION_SET_H
#define VCOURIER_FUNCTION_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "absence.h"
#include "err.h"
#include "event.h"
#include "function_filter.h"

enum {
	FUNCTION_SET_MAX = 5000,
	FUNCTION_TRIGGERS_MAX = 100, /* of one function */
	FUNCTION_SET_NAME_MAX = 253, /* bytes: as of a DNS name */
};

struct function_trigger {
	struct function_filter *filter; /* owned by the function */
	enum event_type_style style;    /* of the events that match it */
};

struct function_entry {
	char *name, *url, *file;
	bool structured; /* the content mode of its requests; else binary */
	struct function_trigger *trigger;
	size_t n_triggers;
	struct absence absence;
};

struct function_set {
	struct function_entry **entry; /* sorted by name after function_set_replace */
	size_t n, cap;
};

struct function_entry *function_entry_new(const char *name, const char *url, const char *file);
void function_entry_free(struct function_entry *entry);
/* Takes the filter. */
void function_entry_add_trigger(struct function_entry *entry, struct function_filter *filter,
	enum event_type_style style);

void function_set_init(struct function_set *set);
void function_set_free(struct function_set *set);
/* Takes the entry. -1: there is no room, or another file has a function of this name. */
int function_set_add(struct function_set *set, struct function_entry *entry, struct err *err);
/* Removes what was added after the set had n entries. */
void function_set_truncate(struct function_set *set, size_t n);

struct function_set_broken {
	char *const *file; /* n names of files, sorted */
	size_t n;
};

struct function_set_kept {
	size_t missing;     /* functions whose absence is not confirmed yet */
	const char *name;   /* one of them; belongs to the set */
	int64_t confirm_ms; /* time until the absence of the first of them can be confirmed */
	bool changed;       /* the set differs from the old one */
};

/*
 * `set` gets the place of `old`, which is empty then. The functions of `old` that are not in
 * `set` move to it if their file is a broken one, or if their absence has not been seen twice,
 * empty_grace_ms apart.
 */
void function_set_replace(struct function_set *old, struct function_set *set,
	const struct function_set_broken *broken, const struct refresh_time *time,
	struct function_set_kept *kept);

/* NULL: there is no such function. */
const struct function_entry *function_set_find(
	const struct function_set *set, const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "functions_directory.h"

#include <stdlib.h>

#include "directory.h"
#include "mem.h"

/*
 * A change counts when two looks find the same: a file that is just being written may be valid,
 * and have half of its documents.
 */
enum { UNCHANGED_MS = 500 };

static const char *const suffixes[] = { ".yaml", ".yml", ".json", NULL };

void
functions_directory_free(struct functions_directory *f)
{
	function_set_free(&f->set);
}

int64_t
functions_directory_interval_ms(void *directory)
{
	const struct functions_directory *f = directory;

	return f->confirm_ms > 0 && f->confirm_ms < f->interval_ms ? f->confirm_ms
								   : f->interval_ms;
}

enum refresh_step
functions_directory_request(
	void *directory, unsigned step, struct http_request *req, struct err *err)
{
	(void)directory;
	(void)step;
	(void)req;
	(void)err;
	return REFRESH_FILES;
}

/* What one look at all files finds. */
struct directory_look {
	struct function_set set;
	char **broken; /* names of files, borrowed from the directory */
	size_t n_broken;
	struct err why; /* of the first of them */
};

static void
read_files(const struct functions_directory *f, const struct directory *d,
	struct directory_look *look)
{
	function_set_init(&look->set);
	look->broken = mem_array(d->n + 1, sizeof(*look->broken));
	look->n_broken = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct err err;

		if (function_manifest_read(&look->set, f->path, d->name[i], &f->rules, &err) ==
			0)
			continue;
		if (look->n_broken == 0)
			look->why = err;
		look->broken[look->n_broken++] = d->name[i];
	}
}

void
functions_directory_check(const struct functions_directory *f, const struct config_node *block,
	struct config_errors *errors)
{
	struct function_set set;
	struct directory d;
	struct err err;

	if (directory_read(&d, f->path, suffixes, FUNCTIONS_FILES_MAX, &err) != 0)
		return; /* the option's own warning says so */
	function_set_init(&set);
	for (size_t i = 0; i < d.n && d.bytes <= FUNCTIONS_BYTES_MAX; i++)
		if (function_manifest_read(&set, f->path, d.name[i], &f->rules, &err) != 0 &&
			errors->n_warnings < CONFIG_ERRORS_MAX)
			config_warning(errors, block, "left out: %s", err.text);
	if (set.n == 0)
		config_warning(errors, block, "%s has no function", f->path);
	function_set_free(&set);
	directory_free(&d);
}

/* Its text does not change while the files do not. */
static void
warn(const struct functions_directory *f, const struct directory_look *look,
	const struct function_set_kept *kept, struct err *err)
{
	*err = (struct err){ .code = ERR_NONE };
	if (look->n_broken > 1)
		err_set(err, ERR_CONFIG, "left out: %s (and %zu more files)", look->why.text,
			look->n_broken - 1);
	else if (look->n_broken > 0)
		err_set(err, ERR_CONFIG, "left out: %s", look->why.text);
	else if (kept->missing > 0)
		err_set(err, ERR_NOT_FOUND,
			"%zu functions are in no file any more, %.128s first: their events are kept until that is confirmed",
			kept->missing, kept->name);
	else if (f->set.n == 0)
		err_set(err, ERR_NOT_FOUND, "%s has no function", f->path);
}

static enum refresh_result
take(struct functions_directory *f, const struct directory *d, const struct refresh_time *time,
	struct err *err)
{
	struct directory_look look;
	struct function_set_broken broken;
	struct function_set_kept kept;
	bool settled = absence_confirmed(&f->others, time), first = !f->read;

	read_files(f, d, &look);
	broken = (struct function_set_broken){ look.broken, look.n_broken };
	function_set_replace(&f->set, &look.set, &broken, time, &kept);
	free(look.broken);
	f->confirm_ms = !settled ? absence_left_ms(&f->others, time) : kept.confirm_ms;
	warn(f, &look, &kept, &f->warning);
	*err = f->warning;
	if (!settled && f->set.n == 0)
		return REFRESH_UNCONFIRMED;
	f->version += settled != f->settled || kept.changed || first;
	f->settled = settled;
	f->missing = kept.missing > 0;
	f->used = d->signature;
	f->read = true;
	return REFRESH_DONE;
}

enum refresh_result
functions_directory_response(void *directory, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct functions_directory *f = directory;
	enum refresh_result result = REFRESH_DONE;
	struct directory d;
	bool changed;

	(void)step;
	(void)rsp;
	if (directory_read(&d, f->path, suffixes, FUNCTIONS_FILES_MAX, err) != 0)
		return REFRESH_FAILED;
	changed = d.signature != f->used;
	if (d.bytes > FUNCTIONS_BYTES_MAX) {
		err_set(err, ERR_LIMIT, "%s: more than %d MiB in all files", f->path,
			FUNCTIONS_BYTES_MAX / 1024 / 1024);
		result = REFRESH_FAILED;
	} else if (f->read && changed && d.signature != f->seen) {
		f->confirm_ms = UNCHANGED_MS;
		*err = f->warning;
	} else if (f->read && f->settled && !changed && !f->missing) {
		f->confirm_ms = 0;
		*err = f->warning;
	} else {
		result = take(f, &d, time, err);
	}
	f->seen = d.signature;
	directory_free(&d);
	return result;
}

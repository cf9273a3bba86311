// SPDX-License-Identifier: Apache-2.0
/*
 * The directory of functions, read again when it changes. Files are independent: a broken one
 * is named in a warning, and its last good functions stay in use.
 */
#ifndef VCOURIER_FUNCTIONS_DIRECTORY_H
#define VCOURIER_FUNCTIONS_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "absence.h"
#include "err.h"
#include "function_manifest.h"
#include "function_set.h"
#include "processor.h"

enum {
	FUNCTIONS_FILES_MAX = 2000,
	FUNCTIONS_BYTES_MAX = 32 * 1024 * 1024, /* all files together */
};

struct functions_directory {
	/* set by the owner, borrowed */
	const char *path;
	struct function_rules rules;
	int64_t interval_ms; /* refreshInterval */

	struct function_set set; /* in use */
	bool settled;            /* an event that matches no function of the set is filtered */
	uint64_t version;        /* counts up when either changes */

	bool read;             /* the set was read once */
	uint64_t seen, used;   /* signatures: of the last look, of the files in the set */
	bool missing;          /* the set has functions that are in no file */
	struct err warning;    /* about the files in the set; ERR_NONE: none */
	struct absence others; /* of further functions: the first look may be incomplete */
	int64_t confirm_ms;    /* time until the next look must be; 0: refreshInterval */
};

void functions_directory_free(struct functions_directory *f);

/* Adds a warning for each file that is left out, and when there are no files. */
void functions_directory_check(const struct functions_directory *f,
	const struct config_node *block, struct config_errors *errors);

/* The functions of a struct refresh; f is a struct functions_directory. */
int64_t functions_directory_interval_ms(void *f);
enum refresh_step functions_directory_request(
	void *f, unsigned step, struct http_request *req, struct err *err);
enum refresh_result functions_directory_response(void *f, unsigned step,
	const struct http_response *rsp, const struct refresh_time *time, struct err *err);

#endif

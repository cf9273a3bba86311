// SPDX-License-Identifier: Apache-2.0
/* The value of --pattern, the same for every command. */
#ifndef VCOURIER_PATTERN_ARGUMENT_H
#define VCOURIER_PATTERN_ARGUMENT_H

#include "pattern.h"

#define PATTERN_ARGUMENT_HELP \
	"PATTERN is an event pattern, as rules of EventBridge have it: JSON text when it begins " \
	"with {, else the name of a file."

/*
 * text NULL: *pattern stays NULL. EXIT_NOT_YET, or after an error message EXIT_USAGE (the JSON
 * text is no valid pattern) or EXIT_CONFIG (the file cannot be read, or has no valid pattern).
 */
int pattern_argument_compile(const char *text, struct pattern **pattern);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What each token of a subject selects, for people. */
#ifndef VCOURIER_SUBJECT_EXPLAIN_H
#define VCOURIER_SUBJECT_EXPLAIN_H

#include "buf.h"

/*
 * Appends one line for each token of a subject that subject_pattern_check accepts; the tokens
 * of an event's name are one line. The text has no characters that control a terminal.
 */
void subject_explain(const char *subject, struct buf *out);

#endif

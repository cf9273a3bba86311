// SPDX-License-Identifier: Apache-2.0
/* A dead letter for people, or as a line of JSON. */
#ifndef VCOURIER_LETTER_PRINT_H
#define VCOURIER_LETTER_PRINT_H

#include "letter.h"

void letter_print_line(const struct letter *l, bool json);
void letter_print_all(const struct letter *l);

#endif

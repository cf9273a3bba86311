// SPDX-License-Identifier: Apache-2.0
/*
 * Dead letters on a terminal: a line each where it is wide, else two, on a narrow one three
 * without titles. Names are whole; the error is cut.
 */
#ifndef VCOURIER_LETTER_ROW_H
#define VCOURIER_LETTER_ROW_H

#include "letter.h"

/* width: columns of the terminal. */
void letter_row_titles(int width);
void letter_row(const struct letter *l, int width);

#endif

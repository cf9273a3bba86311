// SPDX-License-Identifier: Apache-2.0
/* cmocka wants these headers, in this order, before its own. */
#ifndef VCOURIER_TEST_H
#define VCOURIER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif

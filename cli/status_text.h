// SPDX-License-Identifier: Apache-2.0
/* The state of a deployment as tables. */
#ifndef VCOURIER_STATUS_TEXT_H
#define VCOURIER_STATUS_TEXT_H

#include <stdio.h>

#include "status_model.h"

/* For people, on a terminal of `width` columns. */
void status_model_print(const cJSON *model, int width, FILE *out);

#endif

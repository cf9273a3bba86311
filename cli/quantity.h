// SPDX-License-Identifier: Apache-2.0
/*
 * Quantities of Kubernetes: "512Mi", "1.5G", "500m", "2".
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
#ifndef VCOURIER_QUANTITY_H
#define VCOURIER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * In thousandths, rounded up. False: the whole text is no quantity, or not in [1, INT64_MAX].
 * An exponent ("1e3") is not accepted.
 */
bool quantity_read(const char *text, int64_t *thousandths);

#endif

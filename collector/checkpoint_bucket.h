// SPDX-License-Identifier: Apache-2.0
/*
 * The bucket in which dispatchers store their checkpoints. Collectors create it, and no
 * dispatcher may: the creator of a stream decides its subjects, and could add those of others.
 */
#ifndef VCOURIER_CHECKPOINT_BUCKET_H
#define VCOURIER_CHECKPOINT_BUCKET_H

#include <stdbool.h>

#include "bus.h"

/*
 * Creates it unless it exists; replicas: of a new one. A failure is logged, and is none of the
 * collector's: dispatchers deliver without checkpoints. True: do not try again, because the
 * permissions of this user are older than the bucket.
 */
bool checkpoint_bucket_ensure(struct bus *bus, int replicas);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef VCOURIER_PROCESS_H
#define VCOURIER_PROCESS_H

/*
 * What a daemon sets for its process before it reads a secret or starts a thread: no core and
 * no debugger of the same user, malloc for messages that one thread allocates and another one
 * frees, and batch scheduling where it is allowed.
 */
void process_prepare(void);

#endif

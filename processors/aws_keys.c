// SPDX-License-Identifier: Apache-2.0
/* One set of AWS access keys. */
#include <stdlib.h>

#include "aws_credentials.h"
#include "mem.h"

void
aws_keys_free(struct aws_keys *keys)
{
	free(keys->access_key);
	mem_free_secret(keys->secret_key);
	mem_free_secret(keys->token);
	*keys = (struct aws_keys){ 0 };
}

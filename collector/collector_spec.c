// SPDX-License-Identifier: Apache-2.0
#include "collector_spec.h"

#include "source_choice.h"

const struct daemon_spec collector_spec = {
	.component = "collector",
	.summary = "events of a vCenter to NATS JetStream",
	.about =
		"Reads the events of one vCenter, or receives those of one webhook, and publishes "
		"them as CloudEvents to NATS JetStream.",
	.provider = true,
	.options_size = sizeof(struct source_choice),
	.bind = source_choice_bind,
	.release = source_choice_release,
	.help = source_choice_help,
};

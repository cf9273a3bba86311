// SPDX-License-Identifier: Apache-2.0
#include "dispatcher_spec.h"

#include "dispatcher_options.h"
#include "processor_options.h"

static void
help(struct buf *out)
{
	processor_options_help(dispatcher_options_fields, out);
}

const struct daemon_spec dispatcher_spec = {
	.component = "dispatcher",
	.summary = "events from NATS JetStream to a backend",
	.about = "Delivers the events in NATS JetStream to one backend.",
	.provider = false,
	.options_size = sizeof(struct dispatcher_options),
	.bind = dispatcher_options_bind,
	.release = dispatcher_options_release,
	.help = help,
};

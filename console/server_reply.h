// SPDX-License-Identifier: Apache-2.0
/* The response of libmicrohttpd for a reply, with the headers that every answer has. */
#ifndef VCOURIER_SERVER_REPLY_H
#define VCOURIER_SERVER_REPLY_H

#include "server.h"

struct MHD_Response;

/* Takes the body. NULL: no memory. https: browsers shall use nothing else from now on. */
struct MHD_Response *server_reply_make(struct server_reply *reply, bool https);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Errors of AWS services: a code and a message, from a header, from JSON or from XML, and their
 * meaning for the request.
 */
#ifndef VCOURIER_AWS_REPLY_H
#define VCOURIER_AWS_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "http.h"

enum { AWS_CODE_SIZE = 80, AWS_MESSAGE_SIZE = 200 };

struct aws_error {
	char code
		[AWS_CODE_SIZE]; /* "ThrottlingException"; "": the reply is not from an AWS service */
	char message[AWS_MESSAGE_SIZE]; /* one line */
	char request_id[64];
};

/* Reads a reply whose status is not 200. */
void aws_error_read(const struct http_response *rsp, struct aws_error *e);

/*
 * "HTTP 400 ThrottlingException: Rate exceeded (request 1234)", with an error code for its
 * meaning.
 */
void aws_error_explain(
	const struct http_response *rsp, const struct aws_error *e, struct err *err);

enum aws_class {
	AWS_TRANSIENT, /* throttling or an internal error: retry */
	AWS_EXPIRED,   /* the credentials have expired: read them again */
	AWS_SKEW,      /* the signature is invalid: a wrong clock, or a wrong secret */
	/* access, bus, account: a person must correct it; the event is not at fault */
	AWS_REFUSED,
	AWS_INVALID, /* the request itself is invalid */
	AWS_UNKNOWN,
};
enum aws_class aws_error_class(const char *code);

/*
 * The text of the first <tag>...</tag>, trimmed; false when it is missing, too long or has
 * entities.
 */
bool aws_xml_text(const char *xml, const char *tag, char *out, size_t size);

#endif

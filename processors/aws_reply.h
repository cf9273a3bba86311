// SPDX-License-Identifier: Apache-2.0
/*
 * What an AWS service says when it refuses: a code and a message, from a header, from JSON or
 * from XML; and what that means for the request.
 */
#ifndef VCOURIER_AWS_REPLY_H
#define VCOURIER_AWS_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "http.h"

enum { AWS_CODE_SIZE = 80, AWS_MESSAGE_SIZE = 200 };

struct aws_error {
	char code[AWS_CODE_SIZE]; /* "ThrottlingException"; "": no AWS service wrote this */
	char message[AWS_MESSAGE_SIZE]; /* one line */
	char request_id[64];
};

/* Reads a reply whose status is not 200. */
void aws_error_read(const struct http_response *rsp, struct aws_error *e);

/*
 * "HTTP 400 ThrottlingException: Rate exceeded (request 1234)", the code by what the error
 * means.
 */
void aws_error_explain(
	const struct http_response *rsp, const struct aws_error *e, struct err *err);

enum aws_class {
	AWS_TRANSIENT, /* throttling, trouble inside: later */
	AWS_EXPIRED,   /* the credentials are no longer good: read them anew */
	AWS_SKEW,      /* the signature does not hold: our clock, or the secret */
	/* access, bus, account: a person must look; nothing wrong with the event */
	AWS_REFUSED,
	AWS_INVALID, /* the request as such */
	AWS_UNKNOWN,
};
enum aws_class aws_error_class(const char *code);

/*
 * The text of the first <tag>...</tag>, without its blanks; false when it is not there, too
 * long or has entities.
 */
bool aws_xml_text(const char *xml, const char *tag, char *out, size_t size);

#endif

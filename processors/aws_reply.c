// SPDX-License-Identifier: Apache-2.0
#include "aws_reply.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_member.h"
#include "text.h"

static const struct {
	const char *code;
	enum aws_class class;
} classes[] = {
	{ "Throttling", AWS_TRANSIENT },
	{ "ThrottlingException", AWS_TRANSIENT },
	{ "ThrottledException", AWS_TRANSIENT },
	{ "RequestThrottled", AWS_TRANSIENT },
	{ "RequestThrottledException", AWS_TRANSIENT },
	{ "TooManyRequestsException", AWS_TRANSIENT },
	{ "RequestLimitExceeded", AWS_TRANSIENT },
	{ "LimitExceededException", AWS_TRANSIENT },
	{ "SlowDown", AWS_TRANSIENT },
	{ "ProvisionedThroughputExceededException", AWS_TRANSIENT },
	{ "BandwidthLimitExceeded", AWS_TRANSIENT },
	{ "PriorRequestNotComplete", AWS_TRANSIENT },
	{ "RequestTimeout", AWS_TRANSIENT },
	{ "RequestTimeoutException", AWS_TRANSIENT },
	{ "InternalFailure", AWS_TRANSIENT },
	{ "InternalException", AWS_TRANSIENT },
	{ "InternalServerError", AWS_TRANSIENT },
	{ "ServiceUnavailable", AWS_TRANSIENT },
	{ "ServiceUnavailableException", AWS_TRANSIENT },
	{ "IDPCommunicationError", AWS_TRANSIENT },
	{ "ExpiredToken", AWS_EXPIRED },
	{ "ExpiredTokenException", AWS_EXPIRED },
	{ "UnrecognizedClientException", AWS_EXPIRED },
	{ "InvalidClientTokenId", AWS_EXPIRED },
	{ "RequestExpired", AWS_EXPIRED },
	{ "InvalidSignatureException", AWS_SKEW },
	{ "SignatureDoesNotMatch", AWS_SKEW },
	{ "AuthFailure", AWS_SKEW },
	{ "RequestTimeTooSkewed", AWS_SKEW },
	{ "RequestInTheFuture", AWS_SKEW },
	{ "AccessDenied", AWS_REFUSED },
	{ "AccessDeniedException", AWS_REFUSED },
	{ "MissingAuthenticationToken", AWS_REFUSED },
	{ "MissingAuthenticationTokenException", AWS_REFUSED },
	{ "IncompleteSignature", AWS_REFUSED },
	{ "IncompleteSignatureException", AWS_REFUSED },
	{ "OptInRequired", AWS_REFUSED },
	{ "ResourceNotFoundException", AWS_REFUSED },
	{ "UnknownOperationException", AWS_REFUSED },
	{ "ValidationException", AWS_INVALID },
	{ "ValidationError", AWS_INVALID },
	{ "SerializationException", AWS_INVALID },
	{ "InvalidArgument", AWS_INVALID },
};

enum aws_class
aws_error_class(const char *code)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i].code, code) == 0)
			return classes[i].class;
	return AWS_UNKNOWN;
}

/* One line, printable, valid UTF-8, cut to size. */
static void
copy_line(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n < size - 1; text++)
		out[n++] = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
	out[text_utf8_valid(out, n)] = '\0';
}

/*
 * "com.amazon.events#ThrottlingException:http://..." -> ThrottlingException; "" for any other
 * text.
 */
static void
copy_code(char out[AWS_CODE_SIZE], const char *text)
{
	const char *hash = strchr(text, '#');
	size_t n;

	text = hash != NULL ? hash + 1 : text;
	n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.");
	if (n == 0 || n >= AWS_CODE_SIZE || (text[n] != '\0' && text[n] != ':'))
		n = 0;
	memcpy(out, text, n);
	out[n] = '\0';
}

bool
aws_xml_text(const char *xml, const char *tag, char *out, size_t size)
{
	char open[64];
	const char *p, *end;
	size_t len;

	snprintf(open, sizeof(open), "<%s>", tag);
	p = strstr(xml, open);
	if (p == NULL)
		return false;
	p += strlen(open);
	p += strspn(p, " \t\r\n");
	end = strchr(p, '<');
	if (end == NULL)
		return false;
	while (end > p && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	len = (size_t)(end - p);
	if (len == 0 || len >= size || memchr(p, '&', len) != NULL)
		return false;
	memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

static void
read_json(const char *body, size_t len, struct aws_error *e)
{
	cJSON *root = cJSON_ParseWithLength(body, len);
	const char *type = json_member_string(root, "__type");
	/* Message too */
	const char *said = cJSON_GetStringValue(cJSON_GetObjectItem(root, "message"));

	if (type != NULL && e->code[0] == '\0')
		copy_code(e->code, type);
	if (said != NULL)
		copy_line(e->message, sizeof(e->message), said);
	cJSON_Delete(root);
}

void
aws_error_read(const struct http_response *rsp, struct aws_error *e)
{
	char text[256];

	*e = (struct aws_error){ .code = "" };
	if (http_response_header(rsp, "x-amzn-errortype", text, sizeof(text)))
		copy_code(e->code, text);
	if (http_response_header(rsp, "x-amzn-requestid", text, sizeof(text)))
		copy_line(e->request_id, sizeof(e->request_id), text);
	if (rsp->body == NULL)
		return;
	if (rsp->body_len > 0 && rsp->body[strspn(rsp->body, " \t\r\n")] == '<') {
		if (e->code[0] == '\0' && aws_xml_text(rsp->body, "Code", text, sizeof(text)))
			copy_code(e->code, text);
		if (aws_xml_text(rsp->body, "Message", text, sizeof(text)))
			copy_line(e->message, sizeof(e->message), text);
	} else {
		read_json(rsp->body, rsp->body_len, e);
	}
}

void
aws_error_explain(const struct http_response *rsp, const struct aws_error *e, struct err *err)
{
	static const enum err_code codes[] = {
		[AWS_TRANSIENT] = ERR_FULL,
		[AWS_EXPIRED] = ERR_AUTH,
		[AWS_SKEW] = ERR_AUTH,
		[AWS_REFUSED] = ERR_FORBIDDEN,
		[AWS_INVALID] = ERR_PROTOCOL,
		[AWS_UNKNOWN] = ERR_PROTOCOL,
	};
	bool id = e->request_id[0] != '\0';

	err_set(err, codes[aws_error_class(e->code)], "HTTP %d%s%s%s%s%s%s%s", rsp->status,
		e->code[0] ? " " : ", no AWS error", e->code, e->message[0] ? ": " : "",
		e->message, id ? " (request " : "", e->request_id, id ? ")" : "");
}

// SPDX-License-Identifier: Apache-2.0
/* A handshake that only reads the certificate of the peer. */
#include "http_internal.h"

#include "text.h"

int
http_look_at_certificate(struct http *http, const char *url, const struct http_peer *peer,
	struct http_certificate *certificate, struct err *err)
{
	struct http_request *req;
	struct http_response rsp;
	struct http_peer any = *peer;

	*certificate = (struct http_certificate){ .sha256 = "" };
	if (!text_starts(url, "https://"))
		return err_set(err, ERR_USAGE, "not an https URL");
	any.insecure = false;
	any.thumbprint = NULL;
	req = http_request_new(http);
	req->method = "HEAD";
	buf_add_str(&req->url, url);
	req->peer = &any;
	req->certificate = certificate;
	if (http_perform(http, req, &rsp, err) == 0)
		return err_set(err, ERR_PROTOCOL, "the handshake was not ended");
	return certificate->sha256[0] != '\0' ? 0 : -1;
}

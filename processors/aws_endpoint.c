// SPDX-License-Identifier: Apache-2.0
#include "aws_endpoint.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "text.h"

static const struct partition {
	/* prefix of its regions' names, ends in '-'; longest first */
	const char *prefix;
	const char *suffix, *dual_suffix;
	bool plain_fips; /* the plain names are FIPS endpoints, too */
} partitions[] = {
	{ "us-gov-", "amazonaws.com", "api.aws", true },
	{ "us-isob-", "sc2s.sgov.gov", NULL, false },
	{ "us-isof-", "csp.hci.ic.gov", NULL, false },
	{ "us-iso-", "c2s.ic.gov", NULL, false },
	{ "eu-isoe-", "cloud.adc-e.uk", NULL, false },
	{ "eusc-", "amazonaws.eu", NULL, false },
	{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false },
	{ "", "amazonaws.com", "api.aws", false },
};

/* us-east-1, us-gov-west-1, eusc-de-east-1: words of letters, and a number at the end. */
static bool
is_region(const char *region)
{
	size_t len = strlen(region), dashes = 0;

	for (size_t i = 0; i < len; i++) {
		if (region[i] == '-')
			dashes++;
		else if (!islower((unsigned char)region[i]) &&
			!isdigit((unsigned char)region[i]))
			return false;
	}
	return len > 0 && len < 40 && dashes >= 2 && region[0] != '-' &&
		isdigit((unsigned char)region[len - 1]);
}

static const struct partition *
partition_of(const char *region)
{
	const struct partition *p = partitions;

	while (!text_starts(region, p->prefix))
		p++;
	return p;
}

int
aws_endpoint_url(const char *service, const struct aws_endpoint_options *options,
	struct buf *url, struct err *err)
{
	const struct partition *p;
	bool fips;

	if (!is_region(options->region))
		return err_set(
			err, ERR_CONFIG, "\"%.40s\" is not an AWS region", options->region);
	if (options->url != NULL) {
		size_t len = strlen(options->url);

		if (options->fips || options->dual_stack)
			return err_set(err, ERR_CONFIG,
				"a custom endpoint excludes FIPS and dual stack");
		if (len > CONFIG_URL_MAX) /* of the environment */
			return err_set(err, ERR_CONFIG,
				"the custom endpoint is longer than %d bytes", CONFIG_URL_MAX);
		while (len > 0 && options->url[len - 1] == '/')
			len--;
		buf_add(url, options->url, len);
		return 0;
	}
	p = partition_of(options->region);
	if (options->dual_stack && p->dual_suffix == NULL)
		return err_set(err, ERR_CONFIG, "region %s has no dual-stack endpoints",
			options->region);
	/*
	 * https://docs.aws.amazon.com/general/latest/gr/rande.html#FIPS-endpoints: GovCloud's
	 * plain names are FIPS
	 */
	fips = options->fips && !p->plain_fips;
	buf_printf(url, "https://%s%s.%s.%s", service, fips ? "-fips" : "", options->region,
		options->dual_stack ? p->dual_suffix : p->suffix);
	return 0;
}

int
aws_endpoint_global_url(
	const char *endpoint_id, const char *region, struct buf *url, struct err *err)
{
	size_t len = strlen(endpoint_id), dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (endpoint_id[i] == '.')
			dots++;
		else if (!isalnum((unsigned char)endpoint_id[i]) && endpoint_id[i] != '-')
			return err_set(err, ERR_CONFIG, "\"%.60s\" is not an endpoint ID",
				endpoint_id);
	}
	if (dots != 1 || endpoint_id[0] == '.' || endpoint_id[len - 1] == '.' || len > 50)
		return err_set(err, ERR_CONFIG,
			"\"%.60s\" is not an endpoint ID such as abcde.xyz", endpoint_id);
	buf_printf(url, "https://%s.endpoint.events.%s", endpoint_id,
		partition_of(region)->suffix);
	return 0;
}

const char *
aws_endpoint_from_env(const char *variable)
{
	const char *ignore = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
		   *url = getenv(variable);

	if (ignore != NULL && strcmp(ignore, "true") == 0)
		return NULL;
	if (url == NULL || *url == '\0')
		url = getenv("AWS_ENDPOINT_URL");
	return url != NULL && *url != '\0' ? url : NULL;
}

/* The part between scheme and path. */
static const char *
authority(const char *url, size_t *len)
{
	const char *p = strstr(url, "://");

	p = p != NULL ? p + 3 : url;
	*len = strcspn(p, "/?#");
	return p;
}

void
aws_endpoint_host(const char *url, struct buf *host)
{
	size_t len;
	const char *p = authority(url, &len),
		   *own = text_starts(url, "https:") ? ":443" : ":80";
	size_t n = strlen(own);

	if (len > n && memcmp(p + len - n, own, n) == 0)
		len -= n;
	buf_add(host, p, len);
}

void
aws_endpoint_path(const char *url, struct buf *path)
{
	size_t len;
	const char *p = authority(url, &len) + len;

	if (*p != '/')
		buf_add_char(path, '/');
	buf_add(path, p, strcspn(p, "?#"));
}

bool
aws_arn_parse(const char *text, struct aws_arn *arn)
{
	const char **part[] = { &arn->partition, &arn->service, &arn->region, &arn->account,
		&arn->resource };
	char *p;

	if (strlen(text) >= sizeof(arn->text) || !text_starts(text, "arn:"))
		return false;
	memcpy(arn->text, text, strlen(text) + 1);
	p = arn->text + 4;
	for (size_t i = 0; i < 5; i++) {
		*part[i] = p;
		if (i == 4)
			break;
		p = strchr(p, ':');
		if (p == NULL)
			return false;
		*p++ = '\0';
	}
	return *arn->partition != '\0' && *arn->service != '\0' && *arn->resource != '\0';
}

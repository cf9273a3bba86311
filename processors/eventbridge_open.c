// SPDX-License-Identifier: Apache-2.0
/* The options of the EventBridge processor, and checks that a table cannot express. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "eventbridge.h"
#include "mem.h"
#include "text.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static const char *const auth_types[] = { "aws_access_key", "aws_iam_role", NULL };
static const char *const oversizes[] = { "deadLetter", "trim", NULL };
static const char *const type_styles[] = { "router", "vsphere", NULL };

static const struct config_field key_fields[] = {
	{ "accessKey", CONFIG_SECRET, offsetof(struct aws_keys_config, access_key),
		CONFIG_INLINE, .help = "Access key ID." },
	{ "secretKey", CONFIG_SECRET, offsetof(struct aws_keys_config, secret_key),
		.help = "Secret access key." },
	{ "sessionToken", CONFIG_SECRET, offsetof(struct aws_keys_config, token),
		.help = "Session token, for temporary credentials." },
	{ NULL },
};

static const struct config_field auth_fields[] = {
	{ "type", CONFIG_ENUM, offsetof(struct eventbridge_auth_config, type),
		.def = "aws_iam_role", .choices = auth_types,
		.help = "`aws_access_key`: the keys in `awsAccessKeyAuth`. `aws_iam_role`: the sources of the AWS tools: "
			"environment, web identity (IRSA), shared files, container or Pod Identity, instance metadata." },
	{ "awsAccessKeyAuth", CONFIG_OBJECT, offsetof(struct eventbridge_auth_config, keys),
		.fields = key_fields, .help = "Keys, for `aws_access_key`." },
	{ NULL },
};

const struct config_field eventbridge_fields[] = {
	{ "region", CONFIG_STRING, offsetof(struct eventbridge_config, region),
		.help = "AWS region. Default: the region of the rule's or the bus's ARN, else of `AWS_REGION` or the profile." },
	{ "eventBus", CONFIG_STRING, offsetof(struct eventbridge_config, bus), .def = "default",
		.help = "Name or ARN of the event bus." },
	{ "ruleARN", CONFIG_STRINGS, offsetof(struct eventbridge_config, rules),
		.help = "Send only what matches the pattern of this rule: an ARN, a list of them, `all` for every enabled "
			"rule of the bus. Default, or `none`: send every event." },
	{ "pattern", CONFIG_JSON, offsetof(struct eventbridge_config, pattern),
		.help = "An event pattern to use instead of those of rules." },
	{ "rulesInterval", CONFIG_DURATION,
		offsetof(struct eventbridge_config, rules_interval_ms), .def = "5m",
		.min = 1000, .max = 24 * 3600 * 1000,
		.help = "How often rules are read again, and the bus is checked." },
	{ "auth", CONFIG_OBJECT, offsetof(struct eventbridge_config, auth),
		.fields = auth_fields, .help = "Credentials." },
	{ "endpoint", CONFIG_STRING, offsetof(struct eventbridge_config, endpoint), CONFIG_URL,
		.help = "URL to use instead of the region's: a VPC interface endpoint, a test server." },
	{ "endpointId", CONFIG_STRING, offsetof(struct eventbridge_config, endpoint_id),
		.help = "ID of a global endpoint, `abcde.xyz`: events go to a healthy one of its regions." },
	{ "useFIPS", CONFIG_BOOL, offsetof(struct eventbridge_config, fips), .def = "false",
		.help = "Use the region's FIPS endpoint; also by `AWS_USE_FIPS_ENDPOINT=true`." },
	{ "useDualStack", CONFIG_BOOL, offsetof(struct eventbridge_config, dual_stack),
		.def = "false",
		.help = "Use the region's IPv4 and IPv6 endpoint; also by `AWS_USE_DUALSTACK_ENDPOINT=true`." },
	{ "maxRequestBytes", CONFIG_SIZE,
		offsetof(struct eventbridge_config, request_bytes_max), .def = "1MB",
		.min = 1024, .max = 16 * 1024 * 1024,
		.help = "Size of the entries of one request, as AWS counts it. A smaller limit of the service is detected." },
	{ "oversize", CONFIG_ENUM, offsetof(struct eventbridge_config, oversize),
		.def = "deadLetter", .choices = oversizes,
		.help = "What happens to a single event that is larger: it becomes a dead letter, or with `trim` is sent without its data, "
			"with the extension `datatrimmed` (their number of bytes)." },
	{ "resources", CONFIG_STRINGS, offsetof(struct eventbridge_config, resources),
		.help = "ARNs to put into each entry's `Resources`." },
	{ "traceHeader", CONFIG_BOOL, offsetof(struct eventbridge_config, trace_header),
		.def = "false",
		.help = "Send an event's `traceparent` as X-Ray `TraceHeader`." },
	{ "typeStyle", CONFIG_ENUM, offsetof(struct eventbridge_config, type_style),
		.def = "router", .choices = type_styles,
		.help = "Dialect of the CloudEvent's type: `com.vmware.event.router/event` or "
			"`com.vmware.vsphere.VmPoweredOnEvent.v0`." },
	HTTP_PEER_ROWS(struct eventbridge_config, http),
	{ NULL },
};

static int
check_auth(const struct eventbridge_auth_config *auth, struct err *err)
{
	bool secret = secret_is_set(&auth->keys.secret_key);

	if (auth->type == EVENTBRIDGE_ACCESS_KEY &&
		(!secret_is_set(&auth->keys.access_key) || !secret))
		return err_set(err, ERR_CONFIG,
			"auth.type aws_access_key needs auth.awsAccessKeyAuth.%s",
			secret ? "accessKey" : "secretKey (or secretKeyFile)");
	if (auth->type == EVENTBRIDGE_IAM_ROLE &&
		(secret_is_set(&auth->keys.access_key) || secret))
		return err_set(err, ERR_CONFIG,
			"auth.awsAccessKeyAuth needs auth.type aws_access_key");
	return 0;
}

/* https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
static int
check_bus(struct eventbridge *self, struct err *err)
{
	const char *bus = self->config->bus;

	self->bus_name = bus;
	if (text_starts(bus, "arn:")) {
		if (!aws_arn_parse(bus, &self->bus_arn) ||
			strcmp(self->bus_arn.service, "events") != 0 ||
			!text_starts(self->bus_arn.resource, "event-bus/"))
			return err_set(err, ERR_CONFIG, "eventBus: not an ARN of an event bus");
		self->bus_name = self->bus_arn.resource + strlen("event-bus/");
	}
	if (*self->bus_name == '\0' || strlen(self->bus_name) > 256)
		return err_set(err, ERR_CONFIG, "eventBus: must have 1 to 256 characters");
	for (const char *p = self->bus_name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("/.-_", *p) == NULL)
			return err_set(err, ERR_CONFIG,
				"eventBus: has a character that is not allowed in a bus name");
	return 0;
}

/* The region: from the configuration, the bus, the first rule or the environment. */
static int
find_region(struct eventbridge *self, struct err *err)
{
	const struct eventbridge_config *c = self->config;
	struct aws_arn rule = { .region = "" };

	if (c->rules != NULL && c->rules[0] != NULL && !aws_arn_parse(c->rules[0], &rule))
		rule.region = "";
	if (c->region != NULL)
		self->region = mem_strdup(c->region);
	else if (self->bus_name != c->bus)
		self->region = mem_strdup(self->bus_arn.region);
	else if (*rule.region != '\0')
		self->region = mem_strdup(rule.region);
	else
		self->region = aws_plan_region();
	if (self->region == NULL || *self->region == '\0')
		return err_set(err, ERR_CONFIG,
			"region: is missing, also in AWS_REGION and the profile");
	if (self->bus_name != c->bus && strcmp(self->region, self->bus_arn.region) != 0)
		return err_set(err, ERR_CONFIG, "region is %.40s, but the bus is in %.40s",
			self->region, self->bus_arn.region);
	return 0;
}

static bool
env_true(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && strcmp(value, "true") == 0;
}

static void
set_endpoint(struct eventbridge_endpoint *endpoint, const struct buf *url)
{
	struct buf host, path, whole;

	buf_init(&host, 4096);
	buf_init(&path, 4096);
	buf_init(&whole, 4096);
	aws_endpoint_host(buf_str(url), &host);
	aws_endpoint_path(buf_str(url), &path);
	buf_add_str(&whole, buf_str(url));
	if (strchr(strstr(buf_str(url), "://") + 3, '/') == NULL)
		buf_add_char(&whole, '/');
	endpoint->url = buf_take(&whole, NULL);
	endpoint->host = buf_take(&host, NULL);
	endpoint->path = buf_take(&path, NULL);
}

static void
free_endpoint(struct eventbridge_endpoint *endpoint)
{
	free(endpoint->url);
	free(endpoint->host);
	free(endpoint->path);
}

/* A custom endpoint replaces the global one, too. */
static int
find_global(
	struct eventbridge *self, const struct aws_endpoint_options *options, struct err *err)
{
	const char *id = self->config->endpoint_id;
	struct buf url;
	int rc = 0;

	if (id == NULL)
		return 0;
	if (options->fips)
		return err_set(
			err, ERR_CONFIG, "endpointId: global endpoints have no FIPS form");
	buf_init(&url, 4096);
	rc = aws_endpoint_global_url(id, self->region, &url, err);
	if (rc == 0 && options->url != NULL) {
		buf_clear(&url);
		buf_add_str(&url, options->url);
	}
	if (rc == 0)
		set_endpoint(&self->global, &url);
	buf_free(&url);
	return rc;
}

static int
find_endpoint(struct eventbridge *self, struct err *err)
{
	const struct eventbridge_config *c = self->config;
	struct aws_endpoint_options options = { .region = self->region,
		.url = c->endpoint,
		.fips = c->fips || env_true("AWS_USE_FIPS_ENDPOINT"),
		.dual_stack = c->dual_stack || env_true("AWS_USE_DUALSTACK_ENDPOINT") };
	struct buf url;
	int rc;

	buf_init(&url, 4096);
	if (options.url == NULL)
		options.url = aws_endpoint_from_env("AWS_ENDPOINT_URL_EVENTBRIDGE");
	rc = aws_endpoint_url("events", &options, &url, err);
	if (rc == 0)
		rc = find_global(self, &options, err);
	if (rc == 0) {
		set_endpoint(&self->regional, &url);
		options.url = NULL;
		aws_credentials_init(&self->credentials,
			c->auth.type == EVENTBRIDGE_ACCESS_KEY ? &c->auth.keys : NULL, &options,
			&self->peer);
	}
	buf_free(&url);
	return rc;
}

int
eventbridge_open(void **out, const void *config, struct err *err)
{
	const struct eventbridge_config *c = config;
	struct eventbridge *self = mem_alloc(sizeof(*self));

	self->config = c;
	self->bytes_max = (size_t)c->request_bytes_max;
	buf_init(&self->text, TEXT_MAX);
	buf_init(&self->type, EVENT_ATTRIBUTES_BYTES_MAX * 2);
	http_options_peer(&c->http, &self->peer);
	if (http_options_check(&c->http, err) != 0 || check_auth(&c->auth, err) != 0 ||
		check_bus(self, err) != 0 || find_region(self, err) != 0 ||
		find_endpoint(self, err) != 0 || eventbridge_rules_open(self, err) != 0) {
		eventbridge_close(self);
		return -1;
	}
	sigv4_init(&self->signer, "events", self->region);
	sigv4a_init(&self->global_signer, "events", "*");
	*out = self;
	return 0;
}

void
eventbridge_close(void *p)
{
	struct eventbridge *self = p;

	if (self == NULL)
		return;
	eventbridge_rules_close(self);
	aws_credentials_free(&self->credentials);
	sigv4_free(&self->signer);
	sigv4a_free(&self->global_signer);
	free_endpoint(&self->regional);
	free_endpoint(&self->global);
	free(self->region);
	buf_free(&self->text);
	buf_free(&self->type);
	free(self);
}

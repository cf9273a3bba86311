// SPDX-License-Identifier: Apache-2.0
#include "console.h"

/*
 * A connection of its own, also without a second user: NATS reports what it does not permit for
 * the connection, and a job must not read what belongs to another request.
 */
static int
connect_operator(struct console *c, struct err *err)
{
	const struct console_options *o = c->options;
	bool second = o->operator.user != NULL || o->operator.credentials_file != NULL;
	struct bus_options bus;

	c->operator_config = o->bus;
	if (second) {
		c->operator_config.user = o->operator.user;
		c->operator_config.password = o->operator.password;
		c->operator_config.token = (struct secret){ 0 };
		c->operator_config.credentials_file = o->operator.credentials_file;
	}
	bus_config_options(&c->operator_config, "console", second ? "operator" : NULL,
		&c->operator_texts, &bus);
	return bus_open(&c->operator_bus, &bus, err);
}

int
console_open(struct console *c, const struct console_options *options, struct err *err)
{
	const struct bus_config *config = &options->bus;
	struct bus_options bus;

	*c = (struct console){ .options = options, .live = live_open() };
	buf_init(&c->texts, 4096);
	buf_init(&c->operator_texts, 4096);
	c->catalogue = catalogue_cache_open();
	bus_config_options(config, "console", NULL, &c->texts, &bus);
	if (bus_open(&c->bus, &bus, err) != 0 || connect_operator(c, err) != 0 ||
		session_pool_open(&c->pool, c->bus, config, err) != 0 ||
		jobs_open(&c->jobs, c->operator_bus, &c->operator_config, err) != 0 ||
		overview_open(&c->overview, c->bus, config, err) != 0 ||
		feed_open(&c->feed, c->bus, config, c->live, err) != 0)
		return -1;
	return 0;
}

void
console_stop(struct console *c)
{
	live_stop(c->live);
}

void
console_close(struct console *c)
{
	if (c->feed != NULL)
		feed_stop(c->feed);
	if (c->overview != NULL)
		overview_stop(c->overview);
	if (c->jobs != NULL)
		jobs_stop(c->jobs);
	if (c->pool != NULL)
		session_pool_stop(c->pool);
	bus_close(c->operator_bus);
	bus_close(c->bus);
	feed_close(c->feed);
	overview_close(c->overview);
	jobs_close(c->jobs);
	session_pool_close(c->pool);
	catalogue_cache_close(c->catalogue);
	live_close(c->live);
	buf_free(&c->texts);
	buf_free(&c->operator_texts);
}

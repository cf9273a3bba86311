// SPDX-License-Identifier: Apache-2.0
/*
 * The proxy that is chosen for an environment and a URL, against what Go chooses; and proxies'
 * URLs that are none.
 */
#define _GNU_SOURCE /* getline, clearenv */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "http_proxy.h"

/* "NAME=value;NAME=value" becomes the whole environment. */
static void
set_environment(char *text)
{
	char *save = NULL;

	clearenv();
	for (char *one = strtok_r(text, ";", &save); one != NULL;
		one = strtok_r(NULL, ";", &save))
		assert_int_equal(putenv(one), 0);
}

/* In the words of tests/data/proxies.tsv. */
static void
choose(const char *url, struct buf *out)
{
	struct http_environment env;
	const struct http_proxy *proxy;
	struct err err;

	buf_clear(out);
	http_environment_read(&env);
	if (http_environment_proxy(&env, url, &proxy, &err) != 0)
		buf_printf(out, "error: %s", err.text);
	else if (proxy == NULL)
		buf_add_str(out, "direct");
	else if (proxy->user == NULL)
		buf_add_str(out, proxy->url);
	else
		buf_printf(out, "%s %s:%s", proxy->url, proxy->user,
			proxy->password ? proxy->password : "");
	http_environment_free(&env);
}

static void
chooses_as_go_does(void **state)
{
	FILE *f = fopen("tests/data/proxies.tsv", "r");
	char *line = NULL, *save;
	size_t cap = 0, total = 0, agreed = 0;
	struct buf got;

	(void)state;
	assert_non_null(f);
	buf_init(&got, 4096);
	while (getline(&line, &cap, f) > 0) {
		char *environment = strtok_r(line, "\t\n", &save),
		     *url = strtok_r(NULL, "\t\n", &save),
		     *want = strtok_r(NULL, "\t\n", &save);
		char *shown;

		if (*line == '#')
			continue;
		assert_non_null(want);
		shown = strdup(environment);
		set_environment(environment);
		choose(url, &got);
		total++;
		agreed += strcmp(buf_str(&got), want) == 0;
		if (strcmp(buf_str(&got), want) != 0)
			print_error("%s %s: %s, Go says %s\n", shown, url, buf_str(&got), want);
		free(shown);
		clearenv();
	}
	free(line);
	fclose(f);
	buf_free(&got);
	assert_int_equal(agreed, total);
	assert_true(total > 300);
}

/* A proxy that cannot be read fails the requests that need it, without telling its password. */
static void
unreadable(void **state)
{
	static const char *const values[] = { "ftp://p.example", "http://", "http://u:secret@",
		"http://p.example:port", "http://p.example:99999", "http://u:sec ret@p.example",
		"http://u:sec%zz@p.example", "http://u:sec%0@p.example",
		"http://u:sec%00ret@p.example", "http://u:sec^ret@p.example",
		"http://[fd00::9:3128", "http://p example", "://",
		"http://u:se\ncret@p.example" };
	struct buf got;
	struct http_proxy proxy;
	struct err err;

	(void)state;
	buf_init(&got, 4096);
	for (size_t i = 0; i < COUNT(values); i++) {
		clearenv();
		setenv("https_proxy", values[i], 1);
		setenv("NO_PROXY", ".corp.example", 1);
		choose("https://a.example/", &got);
		assert_ptr_equal(
			strstr(buf_str(&got), "error: https_proxy in the environment: "),
			buf_str(&got));
		assert_null(strstr(buf_str(&got), "sec"));
		choose("https://a.corp.example/", &got);
		assert_string_equal(buf_str(&got), "direct");
		choose("http://a.example/", &got);
		assert_string_equal(buf_str(&got), "direct");
		assert_int_equal(http_proxy_parse(&proxy, values[i], &err), -1);
		assert_null(proxy.url);
	}
	clearenv();
	buf_free(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_as_go_does),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests_name("http_proxy", tests, NULL, NULL);
}

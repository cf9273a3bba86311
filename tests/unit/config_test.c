// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a configuration's values: types, defaults, bounds, the environment, secrets.
 */
#define _GNU_SOURCE /* mkdtemp, setenv */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "files.h"
#include "mem.h"
#include "text.h"

static char dir[] = "/tmp/config_test.XXXXXX";
static char file[64], secret_file[64];

/* ---- binding */

struct inner {
	char *name;
	int64_t n;
};

struct everything {
	char *text, *url, *bind, *path, *pattern, *custom;
	bool flag, insecure;
	int64_t count, wait, bytes;
	int color;
	char **list, **map;
	struct secret password;
	struct inner inner;
	struct config_list items;
	const struct config_node *node;
};

static int
shout(const struct config_node *node, void *field, struct config_errors *errors)
{
	if (config_text(node) == NULL) {
		config_error(errors, node, "must shout");
		return -1;
	}
	*(char **)field = mem_strdup("HEY");
	return 0;
}

#define AT(member) .offset = offsetof(struct everything, member)
static const char *const colors[] = { "red", "green", NULL };
static const struct config_field inner_fields[] = {
	{ "name", CONFIG_STRING, .offset = offsetof(struct inner, name),
		.flags = CONFIG_REQUIRED },
	{ "n", CONFIG_INT, .offset = offsetof(struct inner, n), .def = "7", .min = 1,
		.max = 9 },
	{ 0 },
};
static const struct config_field fields[] = {
	{ "text", CONFIG_STRING, AT(text), .def = "default" },
	{ "url", CONFIG_STRING, AT(url), .flags = CONFIG_URL },
	{ "bindAddress", CONFIG_STRING, AT(bind), .flags = CONFIG_BIND },
	{ "path", CONFIG_STRING, AT(path), .flags = CONFIG_FILE },
	{ "flag", CONFIG_BOOL, AT(flag), .def = "true" },
	{ "insecureSSL", CONFIG_BOOL, AT(insecure), .flags = CONFIG_INSECURE },
	{ "count", CONFIG_INT, AT(count), .def = "3", .min = 1, .max = 100 },
	{ "wait", CONFIG_DURATION, AT(wait), .def = "30s", .min = 1000, .max = 3600000 },
	{ "bytes", CONFIG_SIZE, AT(bytes), .def = "1MiB", .min = 1024 },
	{ "color", CONFIG_ENUM, AT(color), .def = "green", .choices = colors },
	{ "list", CONFIG_STRINGS, AT(list), .def = "one" },
	{ "map", CONFIG_MAP, AT(map) },
	{ "password", CONFIG_SECRET, AT(password) },
	{ "inner", CONFIG_OBJECT, AT(inner), .fields = inner_fields },
	{ "items", CONFIG_OBJECTS, AT(items), .fields = inner_fields,
		.item_size = sizeof(struct inner) },
	{ "pattern", CONFIG_JSON, AT(pattern) },
	{ "node", CONFIG_NODE, AT(node) },
	{ "custom", CONFIG_CUSTOM, AT(custom), .custom = shout },
	{ "old", CONFIG_STRING, .flags = CONFIG_IGNORED, .help = "nobody reads it" },
	{ 0 },
};

static struct config *loaded;
static struct everything got;
static struct config_errors errors;

static int
bind(const char *text)
{
	write_file(file, text, strlen(text), 0600);
	config_errors_init(&errors);
	if (config_load(&loaded, file, &errors) != 0)
		fail_msg("%s", buf_str(&errors.text));
	return config_bind(config_root(loaded), fields, &got, sizeof(got), &errors);
}

static void
unbind(void)
{
	config_release(fields, &got);
	config_free(loaded);
	config_errors_free(&errors);
}

static void
values_arrive(void **state)
{
	(void)state;
	assert_int_equal(bind("text: 0123\nurl: https://h:1/p?q\nbindAddress: "
			      "'[::]:8082'\npath: /dev/null\nflag: false\n"
			      "count: 100\nwait: 1h\nbytes: 64KiB\ncolor: red\nlist: [a, 2, "
			      "'']\nmap: {k: v, x: 1}\n"
			      "password: 'p$ss ${HOME}'\ninner: {name: in}\nitems: [{name: a, "
			      "n: 1}, {name: b}]\n"
			      "pattern: {source: [x, 1, -2.5, true, null, \"3\", {prefix: "
			      "\"a\\\"b\"}], e: [], m: {}}\n"
			      "node: [1, 2]\ncustom: x\nold: y\n"),
		0);
	assert_string_equal(got.text, "0123");
	assert_string_equal(got.url, "https://h:1/p?q");
	assert_string_equal(got.bind, "[::]:8082");
	assert_false(got.flag);
	assert_int_equal(got.count, 100);
	assert_int_equal(got.wait, 3600000);
	assert_int_equal(got.bytes, 65536);
	assert_int_equal(got.color, 0);
	assert_string_equal(got.list[1], "2");
	assert_string_equal(got.list[2], "");
	assert_null(got.list[3]);
	assert_string_equal(got.map[3], "1");
	assert_null(got.map[4]);
	assert_string_equal(got.password.value, "p$ss ${HOME}");
	assert_string_equal(got.inner.name, "in");
	assert_int_equal(got.inner.n, 7);
	assert_int_equal(got.items.n, 2);
	assert_string_equal(((struct inner *)got.items.items)[1].name, "b");
	assert_string_equal(got.pattern,
		"{\"source\":[\"x\",1,-2.5,true,null,\"3\",{"
		"\"prefix\":\"a\\\"b\"}],\"e\":[],\"m\":{}}");
	assert_string_equal(config_text(config_item(got.node, 1)), "2");
	assert_string_equal(got.custom, "HEY");
	assert_non_null(strstr(buf_str(&errors.warnings), "old: is ignored: nobody reads it"));
	assert_non_null(strstr(buf_str(&errors.warnings),
		":12:1: password: the secret is in the file itself"));
	assert_int_equal(errors.n_warnings, 2);
	unbind();
}

static void
absent_means_default(void **state)
{
	(void)state;
	assert_int_equal(bind("text:\ncount: ~\nwait: null\n"), 0);
	assert_string_equal(got.text, "default");
	assert_null(got.url);
	assert_true(got.flag);
	assert_int_equal(got.count, 3);
	assert_int_equal(got.wait, 30000);
	assert_int_equal(got.bytes, 1048576);
	assert_int_equal(got.color, 1);
	assert_string_equal(got.list[0], "one");
	assert_null(got.inner.name);
	assert_int_equal(got.inner.n, 7);
	assert_false(secret_is_set(&got.password));
	unbind();
}

static const struct {
	const char *text, *want;
} refusals[] = {
	{ "flag: yes\n", ":1:1: flag: must be true or false, got \"yes\"" },
	{ "flag: 'true'\n", ":1:1: flag: must be true or false without quotes, got \"true\"" },
	{ "flag: [true]\n", "flag: must be a single value, not a list" },
	{ "count: 0\n", "count: must be between 1 and 100, got \"0\"" },
	{ "count: 101\n", "count: must be between 1 and 100" },
	{ "count: -5\n", "count: must be between 1 and 100" },
	{ "count: 010\n", "count: must be a whole number" },
	{ "count: 1.5\n", "count: must be a whole number" },
	{ "count: 99999999999999999999\n", "count: must be a whole number" },
	{ "count: '5'\n", "count: must be a whole number" },
	{ "wait: 30\n", "wait: must be a duration with a unit, such as 30s or 5m, got \"30\"" },
	{ "wait: 1ms\n", "wait: must be between 1s and 1h, got \"1ms\"" },
	{ "wait: 61m\n", "wait: must be between 1s and 1h" },
	{ "bytes: 1B\n", "bytes: must be at least 1KiB" },
	{ "bytes: big\n", "bytes: must be a size" },
	{ "color: rde\n", "color: must be one of red, green, got \"rde\"" },
	{ "color: gren\n", "(did you mean \"green\"?)" },
	{ "url: ftp://x\n",
		"url: must be a URL, http:// or https:// and a host, without a "
		"user in it; got \"ftp://x\"" },
	{ "url: 'https://joe:hunter2@x/'\n", "got a URL with user info in it" },
	{ "url: https://\n", "url: must be a URL" },
	{ "url: 'https://:80/'\n", "url: must be a URL" },
	{ "url: \"https://h/\\r\\nX: y\"\n", "url: must be a URL" },
	{ "bindAddress: 8082\n", "bindAddress: must be an address and a port" },
	{ "bindAddress: host:8082\n", "bindAddress: must be an address and a port" },
	{ "bindAddress: '0.0.0.0:70000'\n", "bindAddress: must be an address and a port" },
	{ "path: ''\n", "path: must not be empty" },
	{ "list: {a: b}\n", "list: must be a list" },
	{ "list: [[a]]\n", "list[0]: must be a single value, not a list" },
	{ "map: [a]\n", "map: must be a mapping" },
	{ "inner: 5\n", "inner: must be a mapping" },
	{ "inner: {}\n", "inner: name is missing" },
	{ "inner: {name: ''}\n", "inner.name: must not be empty" },
	{ "items: {name: x}\n", "items: must be a list" },
	{ "items: [{name: x}, {name: y, nam: y}]\n",
		":1:30: items[1].nam: unknown key (did you mean \"name\"?)" },
	{ "insecureSsl: true\n",
		":1:1: insecureSsl: unknown key (did you mean \"insecureSSL\"?)" },
	{ "pasword: x\n", "pasword: unknown key (did you mean \"password\"?)" },
	{ "wholly: x\n", "wholly: unknown key\n" },
	{ "<<: {text: x}\n", "(key): unknown key\n" },
	{ "password: a\npasswordFile: /x\n",
		":2:1: passwordFile: both password and passwordFile are given" },
	{ "password: [hunter2]\n", "password: must be a single value" },
	{ "pattern: '{\"a\":'\n", "pattern: not valid JSON" },
	{ "custom: [x]\n", "custom: must shout" },
	{ "text: ${VCOURIER_TEST_UNSET}\n",
		"text: the environment variable VCOURIER_TEST_UNSET is not set" },
	{ "custom: ${VCOURIER_TEST_UNSET}\n",
		"custom: the environment variable VCOURIER_TEST_UNSET is not set" },
};

static void
refusals_name_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		assert_int_equal(bind(refusals[i].text), -1);
		if (strstr(buf_str(&errors.text), refusals[i].want) == NULL || errors.n != 1)
			fail_msg("%s: want \"%s\", got \"%s\"", refusals[i].text,
				refusals[i].want, buf_str(&errors.text));
		assert_null(strstr(buf_str(&errors.text), "hunter2"));
		unbind();
	}
}

static void
all_errors_are_told_at_once(void **state)
{
	struct buf text;

	(void)state;
	assert_int_equal(bind("flag: 1\ncount: x\nnope: 1\ninner: {n: 10}\n"), -1);
	assert_int_equal(errors.n, 5);
	unbind();
	buf_init(&text, 4096);
	for (int i = 0; i < 50; i++)
		buf_printf(&text, "key%d: x\n", i);
	assert_int_equal(bind(text.data), -1);
	assert_int_equal(errors.n, 50);
	assert_non_null(strstr(errors.text.data, "key19:"));
	assert_null(strstr(errors.text.data, "key20:"));
	unbind();
	buf_free(&text);
}

static void
the_environment_is_read(void **state)
{
	(void)state;
	setenv("VCOURIER_TEST_N", "42", 1);
	setenv("VCOURIER_TEST_PW", "p@ss: #x", 1);
	assert_int_equal(bind("count: ${VCOURIER_TEST_N}\ntext: "
			      "\"a-${VCOURIER_TEST_N}-${VCOURIER_TEST_X:-no}$\"\n"
			      "password: ${VCOURIER_TEST_PW}\nlist: ['${VCOURIER_TEST_N}', "
			      "'${', '$5']\n"),
		0);
	assert_int_equal(got.count, 42);
	assert_string_equal(got.text, "a-42-no$");
	assert_string_equal(got.password.value, "p@ss: #x");
	assert_string_equal(got.list[0], "${VCOURIER_TEST_N}");
	assert_string_equal(got.list[1], "${");
	assert_int_equal(errors.n_warnings, 0);
	unbind();
}

/* What looks like a variable inside a password of the event router is part of it. */
static void
a_password_may_look_like_a_variable(void **state)
{
	static const struct {
		const char *yaml, *password;
	} rows[] = {
		{ "password: p${HOME}d\n", "p${HOME}d" },
		{ "password: ${VCOURIER_TEST_PW}${VCOURIER_TEST_PW}\n",
			"${VCOURIER_TEST_PW}${VCOURIER_TEST_PW}" },
	};

	(void)state;
	setenv("VCOURIER_TEST_PW", "secret", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(bind(rows[i].yaml), 0);
		assert_string_equal(got.password.value, rows[i].password);
		unbind();
	}
}

static void
insecure_settings_warn(void **state)
{
	(void)state;
	assert_int_equal(bind("insecureSSL: true\npath: /no/such\n"), 0);
	assert_non_null(strstr(buf_str(&errors.warnings), ":1:1: insecureSSL: is insecure"));
	assert_non_null(
		strstr(buf_str(&errors.warnings), ":2:1: path: this file cannot be read here"));
	unbind();
}

/* ---- secrets */

static void
secrets_follow_their_file(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want, *error;
	} cases[] = { { "one\n", 4, "one", NULL }, { "two\r\n", 5, "two", NULL },
		{ "a\n\n", 3, "a\n", NULL }, { "", 0, NULL, "the file is empty" },
		{ "\n", 1, NULL, "the file is empty" }, { "a\0b", 3, NULL, "NUL byte" } };
	char text[128], *value;
	struct err err;

	(void)state;
	write_file(secret_file, "x", 1, 0644);
	snprintf(text, sizeof(text), "passwordFile: %s\n", secret_file);
	assert_int_equal(bind(text), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(secret_file, cases[i].text, cases[i].len, 0600);
		if (cases[i].want != NULL) {
			assert_int_equal(secret_read(&got.password, &value, &err), 0);
			assert_string_equal(value, cases[i].want);
			mem_free_secret(value);
		} else {
			assert_int_equal(secret_read(&got.password, &value, &err), -1);
			assert_non_null(strstr(err.text, cases[i].error));
		}
	}
	unlink(secret_file);
	assert_int_equal(secret_read(&got.password, &value, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	unbind();
}

static void
systemd_credentials_are_found(void **state)
{
	char *value;
	struct err err;

	(void)state;
	write_file(secret_file, "cred\n", 5, 0600);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(bind("passwordFile: secret\n"), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_read(&got.password, &value, &err), 0);
	assert_string_equal(value, "cred");
	mem_free_secret(value);
	unbind();
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/config.yaml", dir);
	snprintf(secret_file, sizeof(secret_file), "%s/secret", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(file);
	unlink(secret_file);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(absent_means_default),
		cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(the_environment_is_read),
		cmocka_unit_test(a_password_may_look_like_a_variable),
		cmocka_unit_test(insecure_settings_warn),
		cmocka_unit_test(secrets_follow_their_file),
		cmocka_unit_test(systemd_credentials_are_found),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}

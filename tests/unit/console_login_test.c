// SPDX-License-Identifier: Apache-2.0
/* The console's users file, sessions, limit of failed logins, and checks of a request. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "login_limit.h"
#include "request_check.h"
#include "sessions.h"
#include "users.h"

#define HASH "$y$j9T$M0jpHVJdbyQG.Th4hyUVN0$sQFPx6bu20rOEzou8770jI/qm0bM.KzpUu/kZ/rZZIB"

static void
users_file(void **state)
{
	static const struct {
		const char *text, *name;
		int found; /* -1: not valid */
		enum role role;
	} cases[] = {
		{ "anna:viewer:" HASH "\n", "anna", 1, ROLE_VIEWER },
		{ "# people\n\nanna:operator:" HASH, "anna", 1, ROLE_OPERATOR },
		{ "anna:operator:" HASH "\r\nbert:viewer:*\r\n", "bert", 1, ROLE_VIEWER },
		{ "anna:viewer:" HASH "\nanna:operator:" HASH "\n", "anna", 1, ROLE_VIEWER },
		{ "anna:viewer:" HASH "\n", "Anna", 0, ROLE_NONE },
		{ "", "anna", 0, ROLE_NONE },
		{ "anna:viewer\n", "anna", -1, ROLE_NONE },
		{ "anna:admin:" HASH "\n", "anna", -1, ROLE_NONE },
		{ "anna:viewer:secret\n", "anna", -1, ROLE_NONE }, /* no hash */
		{ "anna:viewer:$1$abc$0123456789012345678901234567890\n", "anna", -1,
			0 }, /* MD5 */
		{ "anna:viewer:\n", "anna", -1, ROLE_NONE },
		{ ":viewer:" HASH "\n", "", -1, ROLE_NONE },
		{ "an\tna:viewer:" HASH "\n", "anna", -1, ROLE_NONE },
		{ "anna:viewer:" HASH "\nbert:nothing\n", "anna", -1, ROLE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct console_user user = { .role = ROLE_NONE };
		struct err err = { .code = ERR_NONE };

		assert_int_equal(users_find(cases[i].text, strlen(cases[i].text), cases[i].name,
					 &user, &err),
			cases[i].found);
		assert_int_equal(user.role, cases[i].found > 0 ? cases[i].role : ROLE_NONE);
		if (cases[i].found < 0)
			assert_null(strstr(err.text, "secret"));
	}
}

static void
passwords(void **state)
{
	struct console_user user = { .role = ROLE_VIEWER };
	struct err err;
	char longest[300];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[299] = '\0';
	assert_int_equal(users_hash("correct horse", user.hash, &err), 0);
	assert_true(users_verify(&user, "correct horse"));
	assert_false(users_verify(&user, "correct horsf"));
	assert_false(users_verify(&user, ""));
	assert_false(users_verify(&user, longest));
	assert_false(users_verify(NULL, "correct horse"));
	strcpy(user.hash, "*");
	assert_false(users_verify(&user, "*"));
	assert_int_equal(users_hash("", user.hash, &err), -1);
	assert_int_equal(users_hash(longest, user.hash, &err), -1);
	assert_int_equal(users_hash("a\tb", user.hash, &err), -1);
}

static bool
is_anna(const struct console_user *user, void *ctx)
{
	(void)ctx;
	return strcmp(user->name, "anna") == 0;
}

static void
session_life(void **state)
{
	const struct console_user anna = { .role = ROLE_OPERATOR, .name = "anna" },
				  bert = { .role = ROLE_VIEWER, .name = "bert" };
	struct sessions *s = sessions_open();
	char token[TOKEN_SIZE], second[TOKEN_SIZE], many[TOKEN_SIZE];
	struct login login;

	(void)state;
	assert_int_equal(sessions_begin(s, &anna, 1000, 500, token), 0);
	assert_int_equal(sessions_begin(s, &bert, 1000, 900, second), 0);
	assert_int_equal(strlen(token), TOKEN_SIZE - 1);
	assert_false(sessions_same_token(token, second));
	assert_true(sessions_find(s, token, 1499, &login));
	assert_string_equal(login.user, "anna");
	assert_int_equal(login.role, ROLE_OPERATOR);
	assert_false(sessions_same_token(login.csrf, token));
	assert_false(sessions_find(s, token, 1500, &login)); /* it is over, and forgotten */
	assert_false(sessions_find(s, token, 1000, &login));
	assert_false(sessions_find(s, "", 1000, &login));
	assert_false(sessions_find(s, "x", 1000, &login));
	assert_int_equal(sessions_begin(s, &anna, 1000, 5000, token), 0);
	sessions_keep(s, is_anna, NULL);
	assert_true(sessions_find(s, token, 1000, &login));
	assert_false(sessions_find(s, second, 1000, &login));
	/* more than there is room for: the one that ends first makes room */
	for (int i = 0; i < SESSIONS_MAX; i++)
		assert_int_equal(sessions_begin(s, &bert, 1000, 6000 + i, many), 0);
	assert_false(sessions_find(s, token, 1000, &login));
	assert_true(sessions_find(s, many, 1000, &login));
	sessions_end(s, many);
	assert_false(sessions_find(s, many, 1000, &login));
	sessions_close(s);
}

static void
failed_logins(void **state)
{
	struct login_limit limit = { .in_all = 0 };
	int64_t now = 1000000, wait = 0;
	char peer[32];

	(void)state;
	for (int i = 0; i < LOGIN_FREE; i++) {
		assert_int_equal(login_limit_wait(&limit, "10.0.0.1", "anna", now), 0);
		login_limit_ended(&limit, "10.0.0.1", "anna", false, now);
	}
	/* by the name, and by the address */
	assert_int_equal(login_limit_wait(&limit, "10.0.0.1", "anna", now), LOGIN_WAIT_MIN_MS);
	assert_int_equal(login_limit_wait(&limit, "10.0.0.2", "anna", now), LOGIN_WAIT_MIN_MS);
	assert_int_equal(login_limit_wait(&limit, "10.0.0.1", "bert", now), LOGIN_WAIT_MIN_MS);
	assert_int_equal(login_limit_wait(&limit, "10.0.0.2", "bert", now), 0);
	for (int i = 0; i < 20; i++) {
		now += LOGIN_WAIT_MAX_MS;
		login_limit_ended(&limit, "10.0.0.1", "anna", false, now);
		wait = login_limit_wait(&limit, "10.0.0.1", "anna", now);
		assert_true(wait <= LOGIN_WAIT_MAX_MS);
	}
	assert_int_equal(wait, LOGIN_WAIT_MAX_MS);
	login_limit_ended(&limit, "10.0.0.1", "anna", true, now); /* a success forgets */
	assert_int_equal(login_limit_wait(&limit, "10.0.0.1", "anna", now), 0);
	/* each from another address with another name: the number of all */
	for (int i = 0; i < LOGIN_FREE_IN_ALL; i++) {
		snprintf(peer, sizeof(peer), "10.1.0.%d", i);
		login_limit_ended(&limit, peer, peer, false, now);
	}
	assert_true(login_limit_wait(&limit, "10.9.9.9", "new", now) > 0);
	assert_int_equal(login_limit_wait(&limit, "10.9.9.9", "new", now + 60 * 1000), 0);
	assert_int_equal(
		login_limit_wait(&limit, "10.1.0.1", "10.1.0.1", now + LOGIN_FORGET_MS), 0);
}

static void
hosts(void **state)
{
	char *ours[] = { "console.example", NULL };
	static const struct {
		const char *host;
		bool is_ours;
	} cases[] = { { "127.0.0.1:8090", true }, { "localhost", true },
		{ "LocalHost:1", true }, { "[::1]:8090", true }, { "console.example", true },
		{ "Console.Example:443", true }, { "evil.example", false },
		{ "console.example.evil.example", false }, { "evil.example:8090", false },
		{ "127.0.0.1.evil.example", false }, { "", false }, { NULL, false },
		{ "localhost:", false }, { "localhost:8090/", false },
		{ "localhost:123456", false }, { "user@localhost", false }, { "[::1", false },
		{ "[::1]x", false }, { "127.0.0.2", false },
		{ "console.example:80:80", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(request_host_is_ours(cases[i].host, ours), cases[i].is_ours);
	assert_false(request_host_is_ours("console.example", NULL));
}

static void
origins(void **state)
{
	(void)state;
	assert_true(request_origin_is_ours(NULL, "localhost:8090", false));
	assert_true(request_origin_is_ours("http://localhost:8090", "localhost:8090", false));
	assert_true(request_origin_is_ours("https://c.example", "c.example", true));
	assert_true(request_origin_is_ours("https://c.example", "c.example", false));
	assert_false(request_origin_is_ours("http://c.example", "c.example", true));
	assert_false(request_origin_is_ours("null", "localhost:8090", false));
	assert_false(request_origin_is_ours("http://localhost:80901", "localhost:8090", false));
	assert_false(request_origin_is_ours("http://evil.example", "localhost:8090", false));
	assert_false(request_origin_is_ours("", "localhost:8090", false));
}

static void
cookies(void **state)
{
	char out[8];

	(void)state;
	assert_true(request_cookie("a=1; sid=abc; b=2", "sid", out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(request_cookie(" sid=abcd", "sid", out, sizeof(out)));
	assert_string_equal(out, "abcd");
	assert_true(request_cookie("sid=", "sid", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(request_cookie("xsid=abc", "sid", out, sizeof(out)));
	assert_false(request_cookie("sid=abcdefgh", "sid", out, sizeof(out)));
	assert_false(request_cookie("sid", "sid", out, sizeof(out)));
	assert_false(request_cookie(NULL, "sid", out, sizeof(out)));
	assert_true(request_is_json("application/json; charset=utf-8"));
	assert_false(request_is_json("text/plain"));
	assert_false(request_is_json("application/jsonp"));
	assert_false(request_is_json(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_file),
		cmocka_unit_test(passwords),
		cmocka_unit_test(session_life),
		cmocka_unit_test(failed_logins),
		cmocka_unit_test(hosts),
		cmocka_unit_test(origins),
		cmocka_unit_test(cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

static int listener = -1;

/* Listens where systemd would, at a path or an abstract name. */
static void
listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (listener >= 0)
		close(listener);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	else
		unlink(name);
	assert_int_equal(bind(listener, (struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram, "" when there is none. */
static const char *
heard(void)
{
	static char text[512];
	ssize_t n = recv(listener, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
says_nothing_without_systemd(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative/path", 1);
	assert_int_equal(notify("READY=1"), -1);
	setenv("NOTIFY_SOCKET", "/nobody/listens/here", 1);
	assert_int_equal(notify("READY=1"), -1);
}

static void
reaches_a_path_and_an_abstract_socket(void **state)
{
	char dir[] = "/tmp/notify_test.XXXXXX", path[64], abstract[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	listen_at(path);
	assert_int_equal(notify("READY=1"), 0);
	assert_string_equal(heard(), "READY=1");
	unlink(path);
	rmdir(dir);
	snprintf(abstract, sizeof(abstract), "@vcourier-notify-test-%d", (int)getpid());
	listen_at(abstract);
	assert_int_equal(notify("STOPPING=1"), 0);
	assert_string_equal(heard(), "STOPPING=1");
}

static void
status_is_one_line_and_sent_when_it_changes(void **state)
{
	(void)state;
	notify_status("reading");
	assert_string_equal(heard(), "STATUS=reading");
	notify_status("reading");
	assert_string_equal(heard(), "");
	notify_status("standby\nREADY=1");
	assert_string_equal(heard(), "STATUS=standby");
}

static void
reloading_carries_its_time(void **state)
{
	(void)state;
	notify_reloading();
	assert_memory_equal(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27);
}

static void
the_watchdog_is_fed_at_half_its_time(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	notify_alive(1000);
	assert_string_equal(heard(), "WATCHDOG=1");
	notify_alive(15999);
	assert_string_equal(heard(), "");
	notify_alive(16000);
	assert_string_equal(heard(), "WATCHDOG=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_without_systemd),
		cmocka_unit_test(reaches_a_path_and_an_abstract_socket),
		cmocka_unit_test(status_is_one_line_and_sent_when_it_changes),
		cmocka_unit_test(reloading_carries_its_time),
		cmocka_unit_test(the_watchdog_is_fed_at_half_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

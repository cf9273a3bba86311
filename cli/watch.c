// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "exit_status.h"
#include "screen.h"
#include "stop.h"

/* https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: alternate screen, cursor */
static const char enter[] = "\033[?1049h\033[?25l\033[H\033[2J";
static const char leave[] = "\033[?25h\033[?1049l";

enum { LINE_MAX = 4096 };

static struct {
	struct termios before;
	volatile sig_atomic_t entered, resized;
} terminal;

static void
put(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* Both are safe in a signal handler. */
static void
enter_screen(void)
{
	struct termios raw = terminal.before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put(enter, sizeof(enter) - 1);
	terminal.entered = 1;
}

static void
leave_screen(void)
{
	if (!terminal.entered)
		return;
	terminal.entered = 0;
	put(leave, sizeof(leave) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

/* SIGTSTP: the shell gets its terminal back, and the screen is drawn again after SIGCONT. */
static void
on_stop(int number)
{
	int saved = errno;

	(void)number;
	leave_screen();
	raise(SIGSTOP);
	enter_screen();
	terminal.resized = 1;
	errno = saved;
}

static void
on_resize(int number)
{
	(void)number;
	terminal.resized = 1;
}

static void
on_quit(int number)
{
	(void)number;
	stop_request();
}

static void
handle_signals(void)
{
	static const struct {
		int number;
		void (*handler)(int);
	} rows[] = { { SIGTSTP, on_stop }, { SIGWINCH, on_resize }, { SIGQUIT, on_quit },
		{ SIGHUP, on_quit } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sigaction action = { .sa_handler = rows[i].handler };

		sigemptyset(&action.sa_mask);
		sigaction(rows[i].number, &action, NULL);
	}
}

static struct winsize
size_of_terminal(void)
{
	struct winsize size = { .ws_row = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

/* The last line: the keys, and how many lines of the text there was no room for. */
static void
show_keys(const char *rest, struct winsize size, bool paused, FILE *out)
{
	const char *keys = paused ? "paused  p resume  q quit" : "p pause  q quit";
	char line[LINE_MAX];
	size_t more = 0;

	for (; *rest != '\0'; rest++)
		more += *rest == '\n';
	if (more > 0)
		snprintf(line, sizeof(line), "%zu more lines  %s", more, keys);
	else
		snprintf(line, sizeof(line), "%s", keys);
	screen_fit(line, size.ws_col - 1, false, out);
}

/* As much of the text as fits, each line cut to the width; the last line says which keys. */
static void
show(const char *text, struct winsize size, bool paused)
{
	char *frame = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&frame, &len);

	if (out == NULL)
		return;
	fputs("\033[H", out);
	for (int row = 1; row < size.ws_row; row++) {
		char line[LINE_MAX];
		size_t n = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(n < LINE_MAX ? n : LINE_MAX - 1),
			text);
		if (screen_width_of(line) > size.ws_col)
			screen_fit(line, size.ws_col, false, out);
		else
			fputs(line, out);
		fputs("\033[K\r\n", out);
		text += n + (text[n] == '\n');
	}
	show_keys(text, size, paused, out);
	fputs("\033[K\033[J", out);
	fclose(out);
	put(frame, len);
	free(frame);
}

/* Waits for a key, a signal or the time. The key, or 0. */
static char
wait_key(int64_t ms)
{
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };
	char key = 0;

	if (poll(fds, 2, (int)ms) <= 0 || !(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
		return 0;
	if (read(STDIN_FILENO, &key, 1) <= 0)
		return 'q'; /* the terminal is gone */
	return key;
}

static int
loop(watch_draw *draw, void *ctx, int interval_ms)
{
	struct winsize size = size_of_terminal();
	char *text = NULL;
	bool paused = false;
	int rc = 0;

	for (int64_t due = 0; !stop_requested();) {
		int64_t now = clock_monotonic_ms();
		char key;

		if (terminal.resized) {
			terminal.resized = 0;
			size = size_of_terminal();
			due = 0;
		}
		if (!paused && now >= due) {
			size_t len;
			FILE *out;

			free(text);
			text = NULL;
			out = open_memstream(&text, &len);
			if (out == NULL)
				break;
			rc = draw(ctx, size.ws_col, out);
			fclose(out);
			due = clock_monotonic_ms() + interval_ms;
		}
		show(text != NULL ? text : "", size, paused);
		key = wait_key(paused ? interval_ms : due - clock_monotonic_ms());
		if (key == 'q' || key == 'Q')
			break;
		if (key == 'p' || key == 'P')
			paused = !paused;
	}
	free(text);
	return rc;
}

int
watch_run(watch_draw *draw, void *ctx, int interval_ms)
{
	int rc;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
		tcgetattr(STDIN_FILENO, &terminal.before) != 0) {
		fputs("vcourier: --watch needs a terminal\n", stderr);
		return EXIT_USAGE;
	}
	handle_signals();
	enter_screen();
	rc = loop(draw, ctx, interval_ms);
	leave_screen();
	return rc;
}

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
#include "text.h"

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

/* What the screen shows. */
struct view {
	struct winsize size;
	char *text;   /* as drawn last, or NULL */
	size_t first; /* the line of the text at the top: the user scrolls */
	bool paused;
};

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static const char *
line_at(const char *text, size_t number)
{
	for (; number > 0; number--)
		text += strcspn(text, "\n") + 1;
	return text;
}

/* Writes the last line: the keys, and which lines are shown if not all of them fit. */
static void
show_keys(const struct view *view, size_t shown, size_t lines, FILE *out)
{
	const char *keys = view->paused ? "paused  p resume  q quit" : "p pause  q quit";
	char line[LINE_MAX];

	if (shown < lines)
		snprintf(line, sizeof(line), "%s  j k %zu-%zu/%zu", keys, view->first + 1,
			view->first + shown, lines);
	else
		snprintf(line, sizeof(line), "%s", keys);
	screen_fit(line, view->size.ws_col - 1, false, out);
}

static void
show_line(const char *text, size_t len, int width, FILE *out)
{
	char line[LINE_MAX];

	snprintf(line, sizeof(line), "%.*s", (int)(len < LINE_MAX ? len : LINE_MAX - 1), text);
	if (screen_width_of(line) > width)
		screen_fit(line, width, false, out);
	else
		fputs(line, out);
}

/* As many lines as fit, each cut to the width, and the line of the keys. */
static void
show(struct view *view)
{
	const char *text = view->text != NULL ? view->text : "";
	size_t lines = count_lines(text),
	       room = view->size.ws_row > 1 ? view->size.ws_row - 1U : 0,
	       shown = lines < room ? lines : room;
	char *frame = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&frame, &len);

	if (out == NULL)
		return;
	if (view->first > lines - shown)
		view->first = lines - shown;
	text = line_at(text, view->first);
	fputs("\033[H", out);
	for (size_t row = 0; row < room; row++) {
		size_t n = strcspn(text, "\n");

		show_line(text, n, view->size.ws_col, out);
		fputs("\033[K\r\n", out);
		text += n + (text[n] == '\n');
	}
	show_keys(view, shown, lines, out);
	fputs("\033[K\033[J", out);
	fclose(out);
	put(frame, len);
	free(frame);
}

enum { KEYS_MAX = 64 };

/* Waits for keys, a signal or the time. Puts the bytes of the keys, or "", into keys. */
static void
wait_keys(int64_t ms, char *keys)
{
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };
	ssize_t n;

	keys[0] = '\0';
	if (poll(fds, 2, ms > 0 ? (int)ms : 0) <= 0 ||
		!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
		return;
	n = read(STDIN_FILENO, keys, KEYS_MAX - 1);
	if (n <= 0) {
		keys[0] = 'q'; /* the terminal is gone */
		n = 1;
	}
	keys[n] = '\0';
}

/* Returns the length of the key at the start of keys if it scrolls, or 0. */
static size_t
scroll(struct view *view, const char *keys)
{
	size_t page = view->size.ws_row > 1 ? view->size.ws_row - 1U : 1;
	/* The cursor keys have two sequences, one for each of their modes. */
	const struct {
		const char *key;
		size_t down, up;
	} rows[] = { { "j", 1, 0 }, { "k", 0, 1 }, { " ", page, 0 }, { "\033[B", 1, 0 },
		{ "\033[A", 0, 1 }, { "\033OB", 1, 0 }, { "\033OA", 0, 1 },
		{ "\033[6~", page, 0 }, { "\033[5~", 0, page } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (text_starts(keys, rows[i].key)) {
			view->first += rows[i].down;
			view->first -= rows[i].up < view->first ? rows[i].up : view->first;
			return strlen(rows[i].key);
		}
	}
	return 0;
}

/* False if a key ends it. */
static bool
take_keys(struct view *view, const char *keys)
{
	while (*keys != '\0') {
		size_t n = scroll(view, keys);

		if (*keys == 'q' || *keys == 'Q')
			return false;
		if (*keys == 'p' || *keys == 'P')
			view->paused = !view->paused;
		keys += n > 0 ? n : 1;
	}
	return true;
}

static int
loop(watch_draw *draw, void *ctx, int interval_ms)
{
	struct view view = { .size = size_of_terminal() };
	char keys[KEYS_MAX] = "";
	int rc = 0;

	for (int64_t due = 0; !stop_requested() && take_keys(&view, keys);) {
		if (terminal.resized) {
			terminal.resized = 0;
			view.size = size_of_terminal();
			due = 0;
		}
		if (!view.paused && clock_monotonic_ms() >= due) {
			size_t len;
			FILE *out;

			free(view.text);
			view.text = NULL;
			out = open_memstream(&view.text, &len);
			if (out == NULL)
				break;
			rc = draw(ctx, view.size.ws_col, out);
			fclose(out);
			due = clock_monotonic_ms() + interval_ms;
		}
		show(&view);
		wait_keys(view.paused ? interval_ms : due - clock_monotonic_ms(), keys);
	}
	free(view.text);
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

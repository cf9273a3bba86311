// SPDX-License-Identifier: Apache-2.0
/*
 * The command line of a program or of one of its subcommands: one table from which options are
 * parsed, and usage, --help, shell completion and manual page are made.
 */
#ifndef VCOURIER_COMMAND_H
#define VCOURIER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum command_type {     /* the C type at `offset` */
	COMMAND_FLAG,   /* bool */
	COMMAND_TEXT,   /* const char *, of argv */
	COMMAND_TEXTS,  /* struct command_texts: the option may be repeated */
	COMMAND_CHOICE, /* const char *, of argv: one of choices */
	COMMAND_COUNT,  /* int64_t, from 1 on */
	/* int64_t, µs since 1970: RFC 3339, or a duration, which counts back from now */
	COMMAND_TIME,
};

enum { COMMAND_TEXTS_MAX = 64 };

struct command_texts {
	const char *text[COMMAND_TEXTS_MAX]; /* of argv */
	size_t n;
};

enum {
	COMMAND_RARE = 1 << 0,   /* only in `--help all` and in the manual page */
	COMMAND_HIDDEN = 1 << 1, /* accepted for compatibility: nowhere described */
};

struct command_option {
	const char *name; /* "count", without dashes; NULL ends a table */
	char letter;      /* 'n'; 0: none. A letter has one meaning in all subcommands. */
	enum command_type type;
	size_t offset;
	/* its value in the help: "N". FILE and DIR are completed as such. NULL for a flag. */
	const char *value;
	const char *const *choices; /* CHOICE: NULL-terminated */
	unsigned flags;
	const char *help; /* a sentence without a full stop */
};

struct command_exit {
	int status;
	const char *meaning; /* NULL ends a table */
};

struct command {
	const char *program; /* "vcourier" */
	const char *name;    /* "tail", "dead ls"; NULL: the program has no subcommands */
	const char *summary; /* one line, for the list of subcommands */
	/* "[SUBJECT]", "SEQ..."; NULL: it takes none. A space separates two. */
	const char *arguments;
	size_t args_min, args_max;
	const struct command_option *options;
	/*
	 * Options that several subcommands share, NULL: none. Their struct is the first member
	 * of the values, and shared_title describes them.
	 */
	const struct command_option *shared;
	const char *shared_title;
	size_t values_size; /* of the struct that the options fill */
	const char *about;  /* paragraphs, an empty line between two */
	const char *more;   /* further paragraphs, for `--help all` and the manual page */
	const char *const *examples; /* command lines without the program; NULL-terminated */
	const struct command_exit *exits;
	bool one_dash; /* long options with one dash, too: the event router's */
	/* Each adds a part to `--help all`; NULL: none. */
	void (*add_help[2])(struct buf *out);
	/* The values that were parsed, and the arguments after the options. */
	int (*run)(void *values, char **args, size_t n_args);
};

/*
 * Fills values (values_size bytes, zeroed: an option that is not given stays 0) and moves the
 * arguments to the end of argv: *args, n_args. EXIT_NOT_YET, or the exit status: 0 after --help
 * and --version, EXIT_USAGE after one line that says what is wrong.
 */
struct command_args {
	char **arg;
	size_t n;
};
int command_parse(const struct command *command, int argc, char **argv, void *values,
	struct command_args *args);

/*
 * Prints "vcourier tail: <reason>; usage: ..." to standard error: something is missing or too
 * much. Returns EXIT_USAGE.
 */
int command_usage_error(const struct command *command, const char *fmt, ...) ERR_PRINTF(2, 3);

/* "vcourier tail"; size bytes are enough for all names: 64. */
enum { COMMAND_NAME_SIZE = 64 };
const char *command_name(const struct command *command, char buf[COMMAND_NAME_SIZE]);

/* "usage: vcourier tail [OPTIONS] [SUBJECT]", with a line feed. */
void command_add_usage(const struct command *command, struct buf *out);

/*
 * The help for a screen of `width` columns; all: with rare options, more and add_help.
 * command_width: the width of the terminal, 80 when standard output is none.
 */
void command_add_help(const struct command *command, bool all, int width, struct buf *out);
int command_width(void);

/*
 * Appends text in lines of at most `width` columns, each after `indent` spaces, the first one
 * after what its line already has: `used` columns. Paragraphs stay apart.
 */
struct command_wrap {
	int indent, used, width;
};
void command_add_wrapped(struct command_wrap *wrap, const char *text, struct buf *out);

#endif

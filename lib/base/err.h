// SPDX-License-Identifier: Apache-2.0
/*
 * Errors: what went wrong, for a program (code) and for a person (text).
 *
 * Texts go to logs, /readyz, dead letters and terminals, so the secrets of URLs in them are
 * masked (url_mask.h).
 *
 * A struct err belongs to the caller and is never allocated. Functions that can fail take
 * `struct err *` last and return 0 or -1, so `return err_set(err, ...)` is one statement.
 * Libraries and processors never log. The caller that decides how to continue writes one log
 * line.
 */
#ifndef VCOURIER_ERR_H
#define VCOURIER_ERR_H

enum err_code {
	ERR_NONE,
	ERR_USAGE,     /* the command line is wrong */
	ERR_CONFIG,    /* the configuration is wrong */
	ERR_SYSTEM,    /* a system call failed: file, socket, memory map */
	ERR_CONNECT,   /* the peer cannot be reached */
	ERR_TLS,       /* certificate verification failed, on either side */
	ERR_TIMEOUT,   /* the peer did not answer in time */
	ERR_AUTH,      /* the peer refuses our credentials */
	ERR_FORBIDDEN, /* the peer knows us and refuses this request */
	ERR_NOT_FOUND, /* the peer does not have the thing */
	ERR_CONFLICT,  /* another client changed it first */
	ERR_LIMIT,     /* larger, deeper or more than we accept */
	ERR_FULL,      /* the peer has no room: try later */
	ERR_PROTOCOL,  /* the peer's answer, or the input, is not what its format says */
	ERR_STOPPED,   /* a stop was requested (stop.h) */
	ERR_LAST = ERR_STOPPED,
};

struct err {
	enum err_code code;
	char text[320]; /* one line, no newline; cut with "..." when longer */
};

#if defined(__GNUC__)
#define ERR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ERR_PRINTF(fmt, args)
#endif

/* Sets *err (NULL is fine) and returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* Puts "<text>: " before what *err says, keeps the code, and returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The static analysers see no further than one file: that the two return -1 always. */
#ifdef STATIC_ANALYSIS
#define err_set(...) ((void)err_set(__VA_ARGS__), -1)
#define err_wrap(...) ((void)err_wrap(__VA_ARGS__), -1)
#endif

/* What the errno `number` means; the text belongs to the calling thread. */
const char *err_strerror(int number);

/* A stable lower-case word for a code ("timeout"), for logs and metric labels. */
const char *err_name(enum err_code code);

#endif

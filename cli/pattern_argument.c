// SPDX-License-Identifier: Apache-2.0
#include "pattern_argument.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "exit_status.h"
#include "file.h"
#include "printable.h"

int
pattern_argument_compile(const char *text, struct pattern **pattern)
{
	bool is_json;
	struct buf content;
	struct err err;
	int rc = 0;

	if (text == NULL)
		return EXIT_NOT_YET;
	is_json = text[strspn(text, " \t\r\n")] == '{';
	buf_init(&content, PATTERN_TEXT_MAX + 1);
	if (is_json)
		buf_add_str(&content, text);
	else
		rc = file_read(text, &content, NULL, &err);
	if (rc == 0 && pattern_compile(pattern, buf_str(&content), content.len, &err) != 0)
		rc = err_wrap(&err, "%.200s", is_json ? "--pattern" : text);
	buf_free(&content);
	if (rc == 0)
		return EXIT_NOT_YET;
	printable_line(stderr, "vcourier: %s", err.text);
	return is_json ? EXIT_USAGE : EXIT_CONFIG;
}

// SPDX-License-Identifier: Apache-2.0
/* Exit statuses of all programs, after sysexits.h. */
#ifndef VCOURIER_EXIT_STATUS_H
#define VCOURIER_EXIT_STATUS_H

enum {
	EXIT_NOT_YET =
		-1, /* no exit status: the program continues. Returned by the steps of main() */
	EXIT_RUNTIME = 1,      /* the program failed, or found the fault that it checks for */
	EXIT_USAGE = 64,       /* the command line is wrong */
	EXIT_UNREACHABLE = 69, /* the CLI: a server does not answer */
	EXIT_FORBIDDEN = 77,   /* the CLI: the credentials or the permissions do not suffice */
	EXIT_CONFIG = 78,      /* the configuration is wrong: a restart does not help */
};

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * A page of any kind costs at most so much CPU time and memory for each of its bytes. CPU time
 * is compared with that of a page of usual events of the same size, in the same build on the
 * same machine; a path that is quadratic in anything exceeds the ratio by far.
 *
 *    hostile_page_test [WORDS]     only the pages with these words in their names
 */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "mem.h"
#include "pages.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
	MIB = 1024 * 1024,
	PAGE_BYTES = (SANITIZED ? 2 : 8) * MIB,
	/* times that of usual events; ASan slows short searches in a text more than the rest */
	CPU_RATIO_MAX = SANITIZED ? 40 : 20,
	CPU_SECONDS_MAX = 60, /* then the kernel ends it */
	/*
	 * 128 MiB for the default page of 32 MiB, and what does not grow with it; ASan's own
	 * memory is not counted
	 */
	MEMORY_RATIO_MAX = 4,
	MEMORY_BASE = 8 * MIB,
};

struct cost {
	double cpu; /* seconds */
	long memory;
	int rc;
	enum err_code code;
	size_t n;
	bool first, last; /* events 1 and 3 */
	char why[200];
};

static double
cpu_now(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
		(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* VmRSS or VmHWM in bytes. */
static long
memory_of(const char *name)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return kib * 1024;
}

/* The kernel forgets how large this process ever was. */
static void
forget_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "5", 1) != 1)
		_exit(3);
	close(fd);
}

/* In a process of its own. */
static void
measure(const struct buf *text, size_t events_max, struct cost *cost)
{
	const struct normalize_limits limits = { .page_max = PAGE_BYTES + MIB,
		.events_max = events_max };
	struct page p;
	long before;
	double start;

	forget_peak();
	before = memory_of("VmRSS");
	start = cpu_now();
	page_open(&p, &limits);
	page_read(&p, text->data, text->len, 16 * 1024);
	cost->cpu = cpu_now() - start;
	cost->memory = memory_of("VmHWM") - before;
	cost->rc = p.rc;
	cost->code = p.err.code;
	cost->n = p.page.n;
	snprintf(cost->why, sizeof(cost->why), "%.190s", p.rc != 0 ? p.err.text : p.page.why);
	for (size_t i = 0; p.rc == 0 && i < p.page.n; i++) {
		cost->first |= p.page.event[i].key == 1;
		cost->last |= p.page.event[i].key == 3;
	}
}

static const struct hostile usual = {
	.name = "usual events",
	.open = "",
	.unit = "<returnval xsi:type=\"VmPoweredOnEvent\"><key>2</key><chainId>2</chainId>"
		"<createdTime>2026-11-22T05:27:11.371194Z</createdTime><userName>VSPHERE.LOCAL\\user74</userName>"
		"<datacenter><name>DC0</name><datacenter type=\"Datacenter\">datacenter-2</datacenter></datacenter>"
		"<computeResource><name>C0</name><computeResource type=\"ClusterComputeResource\">domain-c26"
		"</computeResource></computeResource><host><name>H1</name><host type=\"HostSystem\">host-33</host></host>"
		"<vm><name>VM1</name><vm type=\"VirtualMachine\">vm-61</vm></vm>"
		"<fullFormattedMessage>VM1 on H1 in DC0 is powered on</fullFormattedMessage><template>false</template>"
		"</returnval>",
	.close = "",
};

static bool
cost_of(const struct hostile *h, struct cost *cost)
{
	struct buf text;
	int pipes[2], status;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		fail_msg("pipe");
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_SECONDS_MAX, CPU_SECONDS_MAX });
		buf_init(&text, 4 * PAGE_BYTES);
		hostile_build(h, &text, PAGE_BYTES);
		measure(&text, h == &usual ? PAGE_BYTES : 0, cost);
		_exit(write(pipes[1], cost, sizeof(*cost)) == sizeof(*cost) ? 0 : 2);
	}
	close(pipes[1]);
	if (read(pipes[0], cost, sizeof(*cost)) != sizeof(*cost))
		*cost = (struct cost){ .cpu = CPU_SECONDS_MAX };
	close(pipes[0]);
	return waitpid(child, &status, 0) == child && status == 0;
}

static const char *words = "";

static void
budgets(void **state)
{
	struct cost base = { 0 };
	double usual_cpu = 0;
	size_t n_bad = 0;

	(void)state;
	for (int i = 0; i < 3; i++) { /* the slowest: other work on the machine slows all */
		assert_true(cost_of(&usual, &base));
		usual_cpu = base.cpu > usual_cpu ? base.cpu : usual_cpu;
	}
	assert_true(usual_cpu > 0);
	for (size_t i = 0; i < hostile_n; i++) {
		const struct hostile *h = &hostile_pages[i];
		struct cost cost = { 0 };
		double ratio;
		bool ended, bad;

		if (strstr(h->name, words) == NULL)
			continue;
		ended = cost_of(h, &cost);
		ratio = cost.cpu / usual_cpu;
		bad = !ended || ratio > (double)CPU_RATIO_MAX;
		bad |= !SANITIZED &&
			cost.memory > (long)MEMORY_RATIO_MAX * PAGE_BYTES + MEMORY_BASE;
		bad |= h->others && !(cost.rc == 0 && cost.first && cost.last);
		n_bad += bad;
		print_message("%s %5.1f x CPU, %3ld MiB, %zu events%s: %s (%s)\n",
			bad ? "FAILS" : "     ", ratio, cost.memory / MIB, cost.n,
			ended ? "" : ", DID NOT END", h->name, cost.why);
	}
	if (n_bad != 0)
		fail_msg("%zu of %zu pages exceed a budget", n_bad, hostile_n);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(budgets) };

	words = argc > 1 ? argv[1] : "";
	return cmocka_run_group_tests_name("hostile pages", tests, NULL, NULL);
}

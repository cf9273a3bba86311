// SPDX-License-Identifier: Apache-2.0
/* The queue of one target (dispatcher/job.h): deliveries become ready as they are due. */
#include "test.h"

#include "hash.h"
#include "job.h"

static void
waiting_deliveries_come_in_order(void **state)
{
	struct jobs jobs;
	struct delivery deliveries[200], *delivery;
	uint64_t random = 5;
	int64_t last = -1;
	struct queue *queue;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	queue = queue_find(&jobs, "a");
	assert_ptr_equal(queue_find(&jobs, "a"), queue);
	for (size_t i = 0; i < COUNT(deliveries); i++) {
		deliveries[i] = (struct delivery){ .queue = queue };
		delivery_wait(&deliveries[i], (int64_t)(hash_splitmix64(&random) % 1000));
	}
	for (size_t i = 0; i < COUNT(deliveries); i += 3)
		delivery_take(&deliveries[i]);
	assert_int_equal(queue->waiting.n, 133);
	delivery_wake_due(queue, 500);
	assert_true(queue_due(queue) > 500);
	delivery_wake_all(queue);
	assert_int_equal(queue->n_ready, 133);
	TAILQ_FOREACH(delivery, &queue->ready, link) {
		assert_true(delivery->wait.key >= last);
		last = delivery->wait.key;
	}
	while (!TAILQ_EMPTY(&queue->ready))
		delivery_take(TAILQ_FIRST(&queue->ready));
	jobs_free(&jobs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_deliveries_come_in_order),
	};

	return cmocka_run_group_tests_name("circuit", tests, NULL, NULL);
}

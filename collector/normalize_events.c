// SPDX-License-Identifier: Apache-2.0
/* The complete events of a page: which are kept and which are left out. */
#include "normalize_internal.h"

#include "hash.h"
#include "mem.h"

void
normalize_leave_out(struct normalizer *n, const char *s, size_t len)
{
	if (n->page.n_left_out == n->left_out_cap) {
		n->left_out_cap = n->left_out_cap == 0 ? 16 : n->left_out_cap * 2;
		n->left_out = mem_grow(n->left_out, n->left_out_cap, sizeof(*n->left_out));
	}
	n->left_out[n->page.n_left_out++] = hash_fnv1a(HASH_FNV1A, s, len);
}

void
normalize_event_done(struct normalizer *n)
{
	struct event_facts *facts = &n->writer.facts;

	n->in_event = false;
	n->n_seen++;
	if (!facts->has_key || !facts->has_created || !buf_ok(&n->writer.out)) {
		if (buf_ok(&n->writer.out))
			normalize_leave_out(n, n->writer.out.data + facts->data,
				n->writer.out.len - facts->data);
		event_writer_drop(&n->writer);
		return;
	}
	if (n->n == n->cap) {
		n->cap = n->cap == 0 ? 128 : n->cap * 2;
		n->facts = mem_grow(n->facts, n->cap, sizeof(*n->facts));
		n->event = mem_grow(n->event, n->cap, sizeof(*n->event));
	}
	facts->repaired = n->repairing;
	n->facts[n->n++] = *facts;
}

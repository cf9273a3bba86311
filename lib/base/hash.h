// SPDX-License-Identifier: Apache-2.0
/*
 * Hashes for tables, samples and stable ids. None of them resists an attacker who chooses the
 * input.
 */
#ifndef VCOURIER_HASH_H
#define VCOURIER_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The offset basis of 64-bit FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define HASH_FNV1A UINT64_C(14695981039346656037)

/* FNV-1a over len bytes. Start with HASH_FNV1A, or with the hash of the bytes before. */
static inline uint64_t
hash_fnv1a(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *s = data;

	while (len-- != 0)
		hash = (hash ^ *s++) * UINT64_C(1099511628211);
	return hash;
}

/* The next number of splitmix64: https://prng.di.unimi.it/splitmix64.c. Not for secrets. */
static inline uint64_t
hash_splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif

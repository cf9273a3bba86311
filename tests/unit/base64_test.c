// SPDX-License-Identifier: Apache-2.0
/* The test vectors of RFC 4648, section 10, and texts that are not base64. */
#include "test.h"

#include "base64.h"

static const struct {
	const char *plain, *coded;
} vectors[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

static void
vectors_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		base64_encode(&out, vectors[i].plain, strlen(vectors[i].plain));
		assert_string_equal(buf_str(&out), vectors[i].coded);
		buf_clear(&out);
		assert_true(base64_decode(&out, vectors[i].coded, strlen(vectors[i].coded)));
		assert_string_equal(buf_str(&out), vectors[i].plain);
		buf_clear(&out);
		assert_true(base64_decode_url(
			&out, vectors[i].coded, strcspn(vectors[i].coded, "=")));
		assert_string_equal(buf_str(&out), vectors[i].plain);
		buf_free(&out);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg==\n", " Zm9v", "Zm9v ",
		"Zm9v----", "Zm9vZm9*", "Zm9v\n\n\n\n", "Zm9*", "====", "Z===", "Zm9vZg==Zm9v",
		"-_-_" };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	buf_add_str(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(base64_decode(&out, bad[i], strlen(bad[i])));
		assert_string_equal(buf_str(&out), "kept");
	}
	assert_false(base64_decode_url(&out, "Z", 1));
	buf_free(&out);
}

static void
the_url_alphabet(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_true(base64_decode_url(&out, "-_-_", 4));
	assert_memory_equal(buf_str(&out), "\xfb\xff\xbf", 3);
	assert_int_equal(out.len, 3);
	buf_free(&out);
}

static void
a_full_buffer_takes_nothing(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	base64_encode(&out, "four", 4);
	assert_false(buf_ok(&out));
	buf_free(&out);
	buf_init(&out, 4);
	assert_false(base64_decode(&out, "Zm9vYmFy", 8));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(other_texts_are_refused), cmocka_unit_test(the_url_alphabet),
		cmocka_unit_test(a_full_buffer_takes_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

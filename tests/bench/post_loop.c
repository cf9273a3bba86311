// SPDX-License-Identifier: Apache-2.0
/*
 * The least a program can do to post bodies: a bare libcurl multi loop. post_loop URL FILE N
 * CONCURRENCY [CONTENT-TYPE], prints seconds and seconds of CPU time. Any answer but 202 ends
 * it.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "loop.h"

int
main(int argc, char **argv)
{
	static char body[1 << 20];
	struct curl_slist *headers;
	long n, concurrency, started = 0, done = 0, status;
	char type[128];
	size_t len;
	CURLM *multi;
	FILE *f;
	double start;
	clock_t cpu;

	if (argc < 5 || argc > 6 || (f = fopen(argv[2], "rb")) == NULL)
		return 64;
	len = fread(body, 1, sizeof(body), f);
	fclose(f);
	n = atol(argv[3]);
	concurrency = atol(argv[4]);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	snprintf(type, sizeof(type), "Content-Type: %s",
		argc > 5 ? argv[5] : "application/cloudevents+json");
	headers = curl_slist_append(NULL, type);
	headers = curl_slist_append(headers, "Expect:");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
	start = loop_now();
	cpu = clock();
	for (; started < concurrency && started < n; started++) {
		CURL *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, loop_discard);
		curl_multi_add_handle(multi, easy);
	}
	while (done < n) {
		int running, left;
		CURLMsg *msg;

		curl_multi_perform(multi, &running);
		while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
			CURL *easy = msg->easy_handle;

			if (msg->data.result != CURLE_OK) {
				fprintf(stderr, "%s\n", curl_easy_strerror(msg->data.result));
				return 1;
			}
			curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
			if (status != 202) {
				fprintf(stderr, "answered with %ld\n", status);
				return 1;
			}
			done++;
			curl_multi_remove_handle(multi, easy);
			if (started < n) {
				started++;
				curl_multi_add_handle(multi, easy);
			} else {
				curl_easy_cleanup(easy);
			}
		}
		if (done < n)
			curl_multi_poll(multi, NULL, 0, 10, NULL);
	}
	printf("%.4f %.4f\n", loop_now() - start, loop_cpu(cpu));
	curl_slist_free_all(headers);
	curl_multi_cleanup(multi);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* The functions processor under test, with a directory of its own. */
#ifndef VCOURIER_TEST_FUNCTIONS_LAB_H
#define VCOURIER_TEST_FUNCTIONS_LAB_H

#include <dirent.h>

#include "backend.h"
#include "files.h"

extern const struct processor processor_functions;

#define SERVICE(name) \
	"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: " name "}\n" \
	"spec: {template: {spec: {containers: [{image: example/" name "}]}}}\n---\n"
#define TRIGGER(name, spec) \
	"apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: " name \
	"-trigger}\n" \
	"spec: {broker: default, " spec \
	", subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: " name \
	"}}}\n---\n"
#define FUNCTION(name, spec) SERVICE(name) TRIGGER(name, spec)
#define ON_SUBJECT(subject) "filter: {attributes: {subject: " subject "}}"

struct functions_lab {
	struct backend b;
	char dir[32];
};

static inline void
lab_write(struct functions_lab *lab, const char *name, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	write_file(path, text, strlen(text), 0600);
}

static inline void
lab_remove(struct functions_lab *lab, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	assert_int_equal(unlink(path), 0);
}

/* options: further ones, each behind a comma. */
static inline void
lab_open(struct functions_lab *lab, const char *options)
{
	char yaml[1000];

	*lab = (struct functions_lab){ .dir = "/tmp/functions.XXXXXX" };
	assert_non_null(mkdtemp(lab->dir));
	snprintf(yaml, sizeof(yaml), "{directory: %s%s}", lab->dir, options);
	backend_open(&lab->b, &processor_functions, yaml);
}

static inline void
lab_close(struct functions_lab *lab)
{
	DIR *dir = opendir(lab->dir);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			lab_remove(lab, entry->d_name);
	closedir(dir);
	rmdir(lab->dir);
	backend_close(&lab->b);
}

/* One look at the directory. */
static inline enum refresh_result
look(struct functions_lab *lab)
{
	assert_int_equal(backend_ask(&lab->b, "functions", 0), REFRESH_FILES);
	return backend_reply(&lab->b, "functions", 0, 200, "");
}

/* A change counts at the second look. */
static inline enum refresh_result
look_twice(struct functions_lab *lab)
{
	look(lab);
	return look(lab);
}

/* Where an event of this name goes. */
static inline const char *
route_subject(struct functions_lab *lab, const char *subject)
{
	struct event ev;
	char json[1024];
	const char *names;

	snprintf(json, sizeof(json),
		"{\"specversion\":\"1.0\",\"id\":\"7-1\",\"source\":\"https://vc/sdk\","
		"\"type\":\"com.vmware.event.router/event\",\"subject\":\"%s\","
		"\"datacontenttype\":\"application/json\",\"eventclass\":\"event\",\"data\":{\"Key\":7}}",
		subject);
	backend_event(&ev, json);
	names = backend_route(&lab->b, &ev);
	event_free(&ev);
	return names;
}

#endif

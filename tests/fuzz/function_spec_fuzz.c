// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a manifest for `vcourier function apply`. Nothing in it adds a line to the unit: each
 * line begins with a key that function_unit_write writes. Each line of podman's file is one
 * variable. What is refused has a reason.
 */
#include <assert.h>
#include <string.h>

#include "function_unit.h"
#include "fuzz.h"
#include "mem.h"
#include "text.h"

static const char *const unit_lines[] = { "# Written by ", "[Unit]",
	"Description=vcourier function ", "StartLimitIntervalSec=0", "", "[Container]",
	"Image=", "ContainerName=", "PublishPort=127.0.0.1:",
	"EnvironmentFile=/etc/vcourier/secrets/function@", "NoNewPrivileges=true",
	"DropCapability=all", "ReadOnly=", "User=", "Group=", "PodmanArgs=--network=bridge ",
	"Exec=", "[Service]", "Restart=always", "RestartSec=5", "TimeoutStartSec=900",
	"[Install]", "WantedBy=multi-user.target", NULL };

static bool
is_known(const char *line, size_t len)
{
	for (size_t i = 0; unit_lines[i] != NULL; i++)
		if (*unit_lines[i] == '\0' ? len == 0 : text_starts(line, unit_lines[i]))
			return true;
	return false;
}

static void
check_unit(const struct function_spec *spec, const struct function_env_files *env)
{
	static const struct command_texts any = { .n = 0 };
	const struct function_unit unit = {
		.spec = spec, .env = env, .port = 21000, .egress = &any
	};
	struct buf out;
	size_t sections = 0;

	buf_init(&out, 8 * 1024 * 1024);
	function_unit_write(&unit, &out);
	for (const char *line = buf_str(&out); *line != '\0' && buf_ok(&out);) {
		size_t len = strcspn(line, "\n");

		assert(is_known(line, len));
		sections += *line == '[';
		line += len + (line[len] == '\n');
	}
	assert(sections == 4 || !buf_ok(&out));
	buf_free(&out);
}

static void
check_lines(const struct function_env_files *env)
{
	for (const char *line = buf_str(&env->lines); *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert(line[len] == '\n' && memchr(line, '=', len) != NULL && *line != '#');
		line += len + 1;
	}
}

static void
check_service(const struct manifest_objects *objects, const struct service_document *service)
{
	const struct function_sources sources = { objects, "/nonexistent" };
	struct function_env_files env;
	struct function_spec spec;
	struct config_errors errors;
	char *login;

	config_errors_init(&errors);
	memset(&env, 0, sizeof(env));
	if (function_spec_read(&spec, service, &errors) == 0) {
		if (function_env_read(&env, &spec, &sources, &errors) == 0) {
			check_unit(&spec, &env);
			check_lines(&env);
		}
		login = function_env_login(&spec, &sources, &errors);
		mem_free_secret(login);
	}
	assert(errors.n == 0 || errors.text.len > 0);
	function_env_free(&env);
	function_spec_free(&spec);
	config_errors_free(&errors);
}

static void
check_documents(
	const struct function_documents *documents, const struct manifest_objects *objects)
{
	struct config_errors errors;
	struct buf out;

	config_errors_init(&errors);
	for (size_t i = 0; i < documents->n_services; i++) {
		check_service(objects, &documents->service[i]);
		buf_init(&out, 8 * 1024 * 1024);
		function_unit_document(documents, "f", 21000, &out, &errors);
		buf_free(&out);
	}
	config_errors_free(&errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest_objects objects;
	struct function_documents documents;
	struct config_errors errors;
	struct config *config;

	objects.n = 0;
	config_errors_init(&errors);
	if (config_load_manifest(&config, fuzz_file((const char *)data, size), &errors) == 0) {
		manifest_objects_add(&objects, config);
		function_documents_read(&documents, config, &errors);
		check_documents(&documents, &objects);
		function_documents_free(&documents);
		config_free(config);
	}
	config_errors_free(&errors);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* processors/kube.h: kubeconfig files, and the account that a token names. */
#define _GNU_SOURCE /* mkstemp, mkdtemp, setenv */
#include "test.h"

#include "knative_ref_lab.h"
#include "kube.h"

static const char kubeconfig[] =
	"apiVersion: v1\nkind: Config\ncurrent-context: lab\npreferences: {}\n"
	"clusters:\n- name: c1\n  cluster:\n    server: https://k8s.lab:6443/\n    certificate-authority: ca.crt\n"
	"- name: c2\n  cluster:\n    server: https://other\n    insecure-skip-tls-verify: true\n"
	"contexts:\n- name: lab\n  context: {cluster: c1, user: u1, namespace: fn}\n"
	"- name: certs\n  context: {cluster: c2, user: u2}\n- name: exec\n  context: {cluster: c2, user: u3}\n"
	"- name: lost\n  context: {cluster: c9, user: u1}\n- name: torn\n  context: {cluster: c2, user: u4}\n"
	"users:\n- name: u1\n  user: {token: abc}\n"
	/* base64 of "-----BEGIN X-----\n" */
	"- name: u2\n  user:\n    client-certificate-data: LS0tLS1CRUdJTiBYLS0tLS0K\n    client-key: /k.pem\n"
	"- name: u3\n  user:\n    exec: {command: aws}\n"
	"- name: u4\n  user: {client-certificate-data: LS0tLS1C=}\n";

static void
kubeconfigs(void **state)
{
	struct kube kube = { .server = NULL };
	struct err err;
	char path[100], want[120];

	(void)state;
	put("config", kubeconfig);
	snprintf(path, sizeof(path), "%s/config", dir);
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), 0);
	assert_string_equal(kube.server, "https://k8s.lab:6443");
	assert_string_equal(kube.ns, "fn");
	assert_string_equal(kube.token, "abc");
	snprintf(want, sizeof(want), "%s/ca.crt", dir);
	assert_string_equal(kube.peer.ca_file, want);
	assert_true(kube.peer.ca_only);
	assert_int_equal(kube_load(&kube,
				 &(struct kube_options){
					 .kubeconfig = path, .context = (char *)"certs" },
				 &err),
		0);
	assert_null(kube.token);
	assert_null(kube.ns);
	assert_true(kube.peer.insecure);
	assert_string_equal(kube.peer.cert_pem, "-----BEGIN X-----\n");
	assert_string_equal(kube.peer.key_file, "/k.pem");
	static const struct {
		const char *context, *why;
	} bad[] = {
		{ "none", "no context named none" },
		{ "lost", "no cluster named c9" },
		{ "exec", "users with `exec` are not supported" },
		{ "torn", "is not base64-encoded PEM" },
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct kube_options options = { .kubeconfig = path,
			.context = (char *)bad[i].context };

		assert_int_equal(kube_load(&kube, &options, &err), -1);
		assert_non_null(strstr(err.text, bad[i].why));
		assert_null(kube.server);
	}
	char long_server[CONFIG_URL_MAX + 200];

	snprintf(long_server, sizeof(long_server),
		"clusters: [{name: c, cluster: {server: 'https://%0*d'}}]\n"
		"contexts: [{name: x, context: {cluster: c, user: u}}]\n"
		"users: [{name: u, user: {token: t}}]\ncurrent-context: x\n",
		CONFIG_URL_MAX, 1);
	put("config", long_server);
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), -1);
	assert_non_null(strstr(err.text, "the cluster's server is longer than 2048 bytes"));
	put("config", "clusters: [");
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), -1);
	put("config",
		"{clusters: 7, contexts: [7, {name: x, context: 7}], current-context: x}\n");
	assert_int_equal(
		kube_load(&kube, &(struct kube_options){ .kubeconfig = path }, &err), -1);
	kube_free(&kube);
}

static void
accounts(void **state)
{
	static const char *const others[] = { "", "abc", "a.b", "a.!!!.c", "a.e30.c" };
	char *account = kube_account(SA_TOKEN);

	(void)state;
	assert_string_equal(account, "apps/vcourier");
	free(account);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_null(kube_account(others[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kubeconfigs),
		cmocka_unit_test(accounts),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

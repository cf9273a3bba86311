# The version, the list of interfaces, and what a release consists of.

# VERSION is the only place. Files that cannot read it carry a copy, which this command writes and a test compares.
version_copies := k8s/collector/collector.yaml k8s/collector/kustomization.yaml k8s/dispatcher/dispatcher.yaml \
	k8s/dispatcher/name/labels.yaml k8s/components/console/deployment.yaml k8s/components/toolbox/deployment.yaml k8s/samples/gitops/kustomization.yaml $(wildcard helm/*/Chart.yaml helm/Chart.yaml)

version: ## write the version in the file VERSION into manifests and chart
	sed -i -E 's#(image: vcourier-[a-z]+:)[0-9][^ ]*$$#\1$(VERSION)#; s#(app.kubernetes.io/version:) .*#\1 $(VERSION)#; s#([?]ref=v)[0-9][0-9.]*#\1$(VERSION)#; s#^(version|appVersion): .*#\1: "$(VERSION)"#' $(version_copies)

interfaces: all simulator ## record the interfaces of this version in release/interfaces.txt; at each release
	$(PYTHON) tests/release/record.py

.PHONY: version interfaces

release: ## everything that a release has, from the commit HEAD, into dist/; RELEASES= KEY=: see release/release.sh
	@tests/deps.sh debootstrap dpkg-dev gnupg
	@rm -rf dist; release/release.sh dist

# The last commit whose package was made by hand, as 0.1.0.
OLDER ?= f20749b
release-test: ## build the release, twice, and compare; install, upgrade and purge its packages in new roots of Debian 12 and 13
	@tests/deps.sh debootstrap dpkg-dev gnupg
	tests/release/run.sh $(OLDER)

# trivy looks for secrets in the images. Where its database can be had, `trivy image --input FILE` alone also finds vulnerabilities.
scan: build/interop/bin/trivy ## known vulnerabilities of the packages and images in dist/, by debsecan (SOURCE=URL of a copy of its data); secrets, by trivy
	@tests/deps.sh debsecan
	@if [ -x $< ]; then for image in dist/images/*.oci.tar; do \
		$< image --input $$image --offline-scan --skip-db-update --skip-java-db-update --scanners secret --exit-code 1 --quiet || exit 1; done; fi
	@release/scan.py $(if $(SOURCE),--source $(SOURCE)) $(wildcard dist/*.cdx.json dist/images/*.cdx.json)

.PHONY: release release-test scan

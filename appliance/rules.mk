# The virtual appliance. What it needs of this machine is in Debian 12 and 13.
appliance_build := mmdebstrap debootstrap fdisk dosfstools mtools qemu-utils dpkg-dev
appliance_run   := qemu-system-x86 ovmf xorriso socat openssh-client

appliance: ## build/appliance/vcourier-VERSION.ova and .qcow2, from Debian 13 packages; as root, MIRROR= SECURITY_MIRROR=
	@tests/deps.sh $(appliance_build)
	appliance/image.sh build/appliance

appliance-twice: appliance ## a second build in another folder has the same bytes
	appliance/image.sh build/appliance-twice
	for file in build/appliance/*.ova build/appliance/*.qcow2 build/appliance/*.packages; do cmp $$file build/appliance-twice/$${file##*/} || exit 1; done
	rm -rf build/appliance-twice

appliance-units: all simulator ## the units of the image's root with its own systemd, in namespaces, without an emulator
	$(PYTHON) tests/appliance/units.py || [ $$? = 77 ] # 77: skipped, with the reason

appliance-test: all simulator ## boots the image in QEMU (no KVM needed), after building it if it is missing: events through it, a hard reset, its data disk in a new image
	@if ! command -v qemu-system-x86_64 >/dev/null; then \
		echo "appliance-test: SKIPPED: QEMU is not installed: apt-get install --no-install-recommends $(appliance_run)"; \
	else $(PYTHON) tests/appliance/boot.py; fi

.PHONY: appliance appliance-twice appliance-units appliance-test

# The virtual appliance. What it needs of this machine is in Debian 12 and 13.
appliance_build := mmdebstrap debootstrap fdisk dosfstools mtools qemu-utils dpkg-dev

appliance: ## build/appliance/vcourier-VERSION.ova and .qcow2, from Debian 13 packages; as root, MIRROR= SECURITY_MIRROR=
	@tests/deps.sh $(appliance_build)
	appliance/image.sh build/appliance

appliance-units: all simulator ## the units of the image's root with its own systemd, in namespaces, without an emulator
	$(PYTHON) tests/appliance/units.py || [ $$? = 77 ] # 77: skipped, with the reason

.PHONY: appliance appliance-units

# The login of root on tty1 gets the menu.
if [ "$(id -u)" = 0 ] && [ "$(tty)" = /dev/tty1 ]; then
	vcourier-appliance menu
	exit
fi

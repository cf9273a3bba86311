# SPDX-License-Identifier: Apache-2.0
"""What runs in the appliance beside vcourier: the configuration from its properties, the data disk, the screen and menu of tty1."""

"""Runs cases of the switch table on the host that it is started on."""

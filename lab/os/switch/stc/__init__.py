"""The lab's switch-to-configuration: brings a running host to another system."""

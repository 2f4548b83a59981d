//! The system's ssh: addresses, one master, a fresh connection, elevation.

//! What the operator wrote, as one checked fleet.

# Imported by common configurations; there is nothing to set on a host of the lab.
{ }

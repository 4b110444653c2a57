"""Send records to a server, and take jobs from it for the devices of this computer."""

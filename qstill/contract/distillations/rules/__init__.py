"""Jobs that cannot work are refused at the door, with the field and the reason."""

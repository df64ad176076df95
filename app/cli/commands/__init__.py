"""What the command can ask of a service, one module for each thing that is asked about."""

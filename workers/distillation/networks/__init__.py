"""One file per family of networks. Their definitions, and the names of their features, are in app/distillations."""

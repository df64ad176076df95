"""What the service answers with: jobs, files, models, checkpoints, exports, templates, and pages of them."""

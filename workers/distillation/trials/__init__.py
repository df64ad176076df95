"""Several students that are compared on the validation rows while they learn: of sweeps, and of budgets."""

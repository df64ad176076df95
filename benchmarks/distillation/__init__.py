"""Claims about distillation, each beside its counterpart."""

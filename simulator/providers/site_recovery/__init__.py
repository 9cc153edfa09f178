"""Microsoft.RecoveryServices: what a vault's Site Recovery answers."""

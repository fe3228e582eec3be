"""Bad rows: kept in quarantine within a budget, listed, exported, corrected and loaded again."""

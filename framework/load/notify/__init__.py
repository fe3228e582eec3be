"""What commands report to webhooks, topics, event buses and metrics when their loads have ended."""

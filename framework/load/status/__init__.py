"""The status of feeds: what is known of them, and what needs attention."""

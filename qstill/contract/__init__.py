"""What the front door, the engine room and a client agree on: requests, results, rules, and what they cost."""

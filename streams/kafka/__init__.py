"""What touches a broker, beside the app: consumers, transactions, proofs of time, topics."""

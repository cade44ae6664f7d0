"""What clients may expect of replicas."""

"""Workers and GPUs of this host: starting, stopping, keeping alive, sharing and watching them."""

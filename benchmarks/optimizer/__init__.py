"""Side-by-side comparison of optimizers in virtual-time asynchronous search; see README.md."""

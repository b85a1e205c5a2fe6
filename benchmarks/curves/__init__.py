"""Early stopping on real learning curves: python -m benchmarks.curves --help"""

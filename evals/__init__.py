"""Reference questions -> numbers: how good the answers are, beside simple baselines."""

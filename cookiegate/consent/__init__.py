"""1: what has this visitor agreed to?"""

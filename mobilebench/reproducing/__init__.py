"""Make the rows of a table again from their records, and compare.

records -> supplies -> plan (one task per network) -> export again -> measure again -> Row
"""

"""From rows of the raw table to crops and quarantine, shard by shard on many workers.

``photo`` decides about one photo, ``shards`` about a few dozen, ``tables`` about all of them.
"""

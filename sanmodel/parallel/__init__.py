"""Work by shards on Dask: local processes, or a user's cluster.

``cluster`` finds the workers, ``shards`` gives them work that survives a kill, ``fingerprint``
names what the result of a shard depends on. Images never travel through Dask: workers read and
write files, so those of a cluster need the work tree under the same path.
"""

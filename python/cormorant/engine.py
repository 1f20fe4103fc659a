# being written by h3, see python/src/CLAIM-h3.txt

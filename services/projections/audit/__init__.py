"""The transparency log: a Merkle tree over every record of the log and over what else is done, signed as it grows."""

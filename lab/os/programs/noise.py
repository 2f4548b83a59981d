"""Prints SIZE bytes that look random and follow from SEED alone: noise.py SIZE SEED."""

import hashlib
import sys

size, seed = int(sys.argv[1]), sys.argv[2]
sys.stdout.buffer.write(hashlib.shake_256(seed.encode()).digest(size))

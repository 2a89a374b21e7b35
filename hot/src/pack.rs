//! The journal's layout of every input and output of the core: bytes, little-endian, no padding.

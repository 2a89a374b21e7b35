//! What several tests and the fuzz targets share: hostile inputs drawn from a seed, and what must hold for any of them.

pub mod answers;
pub mod decode;
pub mod random;
pub mod said;

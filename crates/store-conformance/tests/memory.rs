//! The model keeps the contract that it stands for.

use colloquy_store_conformance::{MemoryFactory, conformance_suite};

conformance_suite!(MemoryFactory);

//! The storage contract as tests that every engine runs, and the model that they are held against.
//!
//! An engine writes a [`Factory`] and runs everything:
//!
//! ```ignore
//! colloquy_store_conformance::conformance_suite!(MyFactory);
//! ```
//!
//! which becomes one `#[test]` for each case, in modules named after the parts of the contract.
//! [`MemoryStore`] is the model: an engine that is plain enough to be believed by reading it.

mod memory;
mod seen;

#[expect(clippy::unwrap_used, clippy::panic, reason = "a failed test")]
mod fixture;
#[expect(clippy::indexing_slicing, reason = "a failed test")]
#[expect(clippy::unwrap_used, reason = "a failed test")]
mod histories;
#[expect(clippy::indexing_slicing, reason = "a failed test")]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a failed test")]
mod suite;
#[expect(clippy::indexing_slicing, reason = "a failed test")]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a failed test")]
pub mod transfer;

use std::sync::Arc;

use async_trait::async_trait;
use colloquy_sessions::store::Store;

pub use histories::check_histories;
pub use memory::MemoryStore;
pub use seen::Seen;
pub use suite::cases;

/// Makes stores to be tested.
#[async_trait]
pub trait Factory: Send + Sync {
    /// An empty store that shares nothing with any other. What it needs to live, such as a directory,
    /// lives at least as long as the factory.
    async fn fresh(&self) -> Arc<dyn Store>;
}

/// Makes [`MemoryStore`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFactory;

#[async_trait]
impl Factory for MemoryFactory {
    async fn fresh(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }
}

/// Runs a case on a runtime of its own with four workers, so that tasks really meet.
///
/// # Panics
/// When the case does, or no runtime can be started.
#[expect(clippy::expect_used, reason = "a failed test")]
pub fn block_on<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime can be started").block_on(case)
}

//! What is promised of moving everything from one store into another, as tests that every pair of engines runs.

#[expect(missing_docs, reason = "a case's name is what it says of the stores")]
pub mod cases;
mod content;

use std::sync::Arc;

use async_trait::async_trait;
use colloquy_sessions::store::Store;
use colloquy_sessions::transfer::{
    Comparison, CopyError, Kind, Limit, Position, Transfer, Watch, compare, copy, tally,
};

/// Where a store is kept: it is served from and transferred by turns. What is opened is given free when it is dropped.
#[async_trait]
pub trait Site: Send + Sync {
    /// Opens it as a server does.
    async fn serve(&self) -> Result<Arc<dyn Store>, String>;

    /// Opens it to be copied.
    async fn source(&self) -> Result<Arc<dyn Transfer>, String>;

    /// Opens it to be copied to.
    async fn destination(&self) -> Result<Arc<dyn Transfer>, String>;
}

/// Makes sites: one to copy from, and one to copy to. What they need to live lives as long as this does.
#[async_trait]
pub trait Pairs: Send + Sync {
    /// An empty store of the engine that is copied from.
    async fn source(&self) -> Arc<dyn Site>;

    /// An empty store of the engine that is copied to.
    async fn destination(&self) -> Arc<dyn Site>;
}

/// Makes a test of every case over the sites of a [`Pairs`]: an expression that is evaluated in each test.
#[macro_export]
macro_rules! transfer_suite {
    ($pairs:expr) => {
        $crate::transfer_suite! { @cases $pairs,
            histories_go_on_in_the_other_store
            everything_is_there_and_the_same
            what_nobody_sees_is_left_behind
            a_copy_that_is_cut_off_goes_on_and_doubles_nothing
            only_an_empty_store_or_the_same_copy_is_written_to
            a_store_that_is_not_whole_is_neither_served_nor_copied
            two_copies_at_once_stop_each_other
            what_changes_in_the_source_meanwhile_is_noticed
            what_is_not_the_same_in_the_destination_is_found
            portions_are_bounded
        }
    };
    (@cases $pairs:expr, $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let pairs = $pairs;
                $crate::block_on($crate::transfer::cases::$case(&pairs));
            }
        )*
    };
}

/// Small enough that little content makes many batches.
const SMALL: Limit = Limit { rows: 3, bytes: 1 << 10 };

/// What a copy told.
#[derive(Default)]
struct Seen {
    begun: Option<Position>,
    rows: usize,
}

impl Watch for Seen {
    fn begun(&mut self, from: &Position) {
        self.begun = Some(from.clone());
    }

    fn written(&mut self, _: Kind, rows: usize) {
        self.rows += rows;
    }
}

/// Copies, and tells how that went.
async fn copied(source: &dyn Transfer, destination: &dyn Transfer) -> Result<Seen, CopyError> {
    let mut seen = Seen::default();
    copy(source, destination, SMALL, &mut seen).await?;
    Ok(seen)
}

/// Compares two stores.
async fn compared(source: &dyn Transfer, destination: &dyn Transfer) -> Comparison {
    // Each in portions of its own size: what they amount to does not depend on it.
    let (ours, theirs) = (
        tally(source, SMALL, &|_| {}).await.unwrap(),
        tally(destination, Limit::default(), &|_| {}).await.unwrap(),
    );
    compare((source, &ours), (destination, &theirs), SMALL).await.unwrap()
}

/// Moves everything.
pub(crate) async fn migrated(source: &dyn Site, destination: &dyn Site) {
    let (source, destination) = (source.source().await.unwrap(), destination.destination().await.unwrap());
    copied(&*source, &*destination).await.unwrap();
    let comparison = compared(&*source, &*destination).await;
    assert_eq!(comparison.difference, None, "{comparison:#?}");
    assert!(comparison.lines.iter().all(|line| line.is_same()));
    destination.finish().await.unwrap();
    source.close().await;
    destination.close().await;
}

//! The strongest test: random histories run on an engine and on the model side by side, every answer
//! compared; a history that tells them apart is made as short as it can be.

mod command;
mod predicate;
mod replay;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use tokio::task::LocalSet;

use self::command::Command;
use crate::Factory;
use crate::transfer::Pairs;

/// The longest history, in commands.
const LENGTH: usize = 60;
/// How often a history that fails is run again to shorten it.
const SHRINKS: usize = 2_000;

/// Compares a store with [`MemoryStore`](crate::MemoryStore) over `count` random histories, each on a fresh
/// store. The same seed gives the same histories.
///
/// # Panics
/// Where an answer is not the model's; the message holds the shortest history that was found to show it.
pub async fn check_histories(factory: &dyn Factory, count: usize, seed: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let histories = proptest::collection::vec(command::any(), 1..LENGTH);
    for number in 0..count {
        let mut tree = histories.new_tree(&mut runner).unwrap();
        if let Err(difference) = run(factory, tree.current()).await {
            let (history, difference) = shorten(factory, &mut tree, difference).await;
            let steps: Vec<_> = history.iter().map(|command| format!("    {command:?}")).collect();
            let steps = steps.join("\n");
            assert!(difference.is_empty(), "history {number} of seed {seed}: {difference}\n{steps}");
        }
    }
}

/// The same with a move: each history begins in one store and ends in another, into which everything was copied.
///
/// # Panics
/// Where an answer is not the model's.
pub(crate) async fn check_moved_histories(pairs: &dyn Pairs, count: usize, seed: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // Long enough that there is much to move, and much that can go wrong afterwards.
    let histories = proptest::collection::vec(command::any(), LENGTH..2 * LENGTH);
    for number in 0..count {
        let history = histories.new_tree(&mut runner).unwrap().current();
        let (source, destination) = (pairs.source().await, pairs.destination().await);
        let outcome = replay::replay_moved(&*source, &*destination, history.clone()).await;
        assert_eq!(outcome, Ok(()), "history {number} of seed {seed}: {history:#?}");
    }
}

/// Runs on a task of its own, so that a store that panics is told like one that answers wrongly.
async fn run(factory: &dyn Factory, history: Vec<Command>) -> Result<(), String> {
    let store = factory.fresh().await;
    let tasks = LocalSet::new();
    let replay = tasks.spawn_local(replay::replay(store, history));
    match tasks.run_until(replay).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(panic.to_string()),
    }
}

async fn shorten(
    factory: &dyn Factory,
    tree: &mut impl ValueTree<Value = Vec<Command>>,
    difference: String,
) -> (Vec<Command>, String) {
    let mut shortest = (tree.current(), difference);
    let mut may_shrink = tree.simplify();
    for _ in 0..SHRINKS {
        if !may_shrink {
            break;
        }
        let history = tree.current();
        may_shrink = match run(factory, history.clone()).await {
            Err(difference) => {
                shortest = (history, difference);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    shortest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use colloquy_sessions::store::{EngineUpdate, Store};

    use super::*;
    use crate::{MemoryFactory, block_on};

    /// The same seed must give the same histories, or a failure could not be looked at again.
    #[test]
    fn a_seed_is_a_history() {
        let histories = |seed: u8| {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
            let mut runner = TestRunner::new_with_rng(Config::default(), rng);
            let histories = proptest::collection::vec(command::any(), 1..LENGTH);
            let histories = (0..5).map(|_| histories.new_tree(&mut runner).unwrap().current());
            format!("{:?}", histories.collect::<Vec<_>>())
        };
        assert_eq!(histories(1), histories(1));
        assert_ne!(histories(1), histories(2));
    }

    /// A factory of stores that are not empty, as after a bug that leaks from one to the next.
    struct Leaky;

    #[async_trait]
    impl Factory for Leaky {
        async fn fresh(&self) -> Arc<dyn Store> {
            let store = MemoryFactory.fresh().await;
            for name in replay::engine_names() {
                let world = crate::fixture::World::over(Arc::clone(&store));
                world.create_engine(&name, 0).await;
                let update: EngineUpdate = world.engine_update(&name, 1, 1).await;
                store.update_engine(update).await.unwrap();
            }
            store
        }
    }

    #[test]
    #[should_panic(expected = "history 0 of seed 1")]
    fn another_answer_is_told_with_its_history() {
        block_on(check_histories(&Leaky, 1, 1));
    }
}

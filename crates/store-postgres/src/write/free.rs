//! Frees the rows of deleted sessions and engines, in pieces: what one piece leaves, the next one takes up.

use super::requests::OF_ENGINE;
use crate::database::{Parameter, execute, first, query};
use crate::error::Attempt;
use crate::row::count;
use crate::transaction::Transaction;

/// How many rows may still be touched; one with a large payload counts as several.
pub(super) struct Budget {
    all: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(rows: usize) -> Self {
        Self { all: rows, left: rows }
    }

    pub(super) fn spent(&self) -> usize {
        self.all - self.left
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn spend(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows);
    }
}

/// Frees a session, whether marked or not; false if the budget ended before.
pub(super) async fn session(
    transaction: &Transaction<'_>,
    engine_key: i64,
    session_key: i64,
    user_key: i64,
    budget: &mut Budget,
) -> Attempt<bool> {
    // An append that came before the deletion of its engine may still be under way.
    execute(transaction, sql!("sessions/lock"), &[&engine_key, &session_key]).await?;
    for sql in [sql!("upkeep/free_events"), sql!("upkeep/free_session_state")] {
        payloads(transaction, sql, &[&engine_key, &session_key], budget).await?;
    }
    for sql in [sql!("upkeep/free_operations_of_session"), sql!("upkeep/free_requests")] {
        piece(transaction, sql, &[&engine_key, &session_key], budget).await?;
    }
    if budget.is_spent() {
        return Ok(false);
    }
    execute(transaction, sql!("sessions/delete_clock"), &[&engine_key, &session_key]).await?;
    execute(transaction, sql!("upkeep/free_session"), &[&engine_key, &session_key]).await?;
    // Once it is locked, nobody gives the user a session or a state.
    execute(transaction, sql!("upkeep/lock_user"), &[&engine_key, &user_key]).await?;
    execute(transaction, sql!("upkeep/free_idle_user"), &[&engine_key, &user_key]).await?;
    budget.spend(1);
    Ok(true)
}

/// Frees a deleted engine with all that it holds; false if the budget ended before.
pub(super) async fn engine(
    transaction: &Transaction<'_>,
    engine_key: i64,
    budget: &mut Budget,
) -> Attempt<bool> {
    while let Some(row) = first(transaction, sql!("upkeep/next_session_of_engine"), &[&engine_key]).await? {
        let (session_key, user_key) = (row.try_get(0)?, row.try_get(1)?);
        if !session(transaction, engine_key, session_key, user_key, budget).await? {
            return Ok(false);
        }
    }
    while let Some(row) = first(transaction, sql!("upkeep/next_user_of_engine"), &[&engine_key]).await? {
        let user_key: i64 = row.try_get(0)?;
        execute(transaction, sql!("upkeep/lock_user"), &[&engine_key, &user_key]).await?;
        payloads(transaction, sql!("upkeep/free_user_state"), &[&engine_key, &user_key], budget).await?;
        if budget.is_spent() {
            return Ok(false);
        }
        execute(transaction, sql!("upkeep/free_user"), &[&engine_key, &user_key]).await?;
        budget.spend(1);
    }
    execute(transaction, sql!("upkeep/lock_app"), &[&engine_key]).await?;
    payloads(transaction, sql!("upkeep/free_app_state"), &[&engine_key], budget).await?;
    piece(transaction, sql!("upkeep/free_operations_of_engine"), &[&engine_key], budget).await?;
    piece(transaction, sql!("upkeep/free_requests"), &[&engine_key, &OF_ENGINE], budget).await?;
    if budget.is_spent() {
        return Ok(false);
    }
    execute(transaction, sql!("upkeep/free_app"), &[&engine_key]).await?;
    execute(transaction, sql!("upkeep/free_engine"), &[&engine_key]).await?;
    budget.spend(1);
    Ok(true)
}

/// Runs a delete of what may be large: takes an owner and, last, a limit, and gives back what each row counts.
async fn payloads(
    transaction: &Transaction<'_>,
    sql: &str,
    owner: &[Parameter<'_>],
    budget: &mut Budget,
) -> Attempt<()> {
    if !budget.is_spent() {
        let limit = count(budget.left);
        let mut parameters = owner.to_vec();
        parameters.push(&limit);
        for row in query(transaction, sql, &parameters).await? {
            let cost: i64 = row.try_get(0)?;
            budget.spend(usize::try_from(cost).unwrap_or(usize::MAX));
        }
    }
    Ok(())
}

/// Runs a delete that takes an owner and, last, a limit.
async fn piece(
    transaction: &Transaction<'_>,
    sql: &str,
    owner: &[Parameter<'_>],
    budget: &mut Budget,
) -> Attempt<()> {
    if !budget.is_spent() {
        let limit = count(budget.left);
        let mut parameters = owner.to_vec();
        parameters.push(&limit);
        budget.spend(execute(transaction, sql, &parameters).await?);
    }
    Ok(())
}

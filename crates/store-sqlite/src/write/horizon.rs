//! The horizon of upkeep: kept.

use colloquy_sessions::horizon::Horizon;

use super::Write;
use crate::error::Attempt;

/// See `Store::keep_horizon`.
pub(crate) fn keep(write: &Write<'_>, horizon: Horizon) -> Attempt<()> {
    let since = horizon.ahead.map(|ahead| ahead.since.0);
    let lasted = horizon.ahead.map(|ahead| i64::try_from(ahead.lasted.as_micros()).unwrap_or(i64::MAX));
    write.execute(sql!("upkeep/keep_horizon"), (horizon.believed.0, since, lasted))?;
    Ok(())
}

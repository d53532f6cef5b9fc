//! From the names of sessions to their keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use resource_names::{EngineName, SessionName};

use crate::error::Attempt;
use crate::pipeline::{Pipeline, Step, Steps};
use crate::read;
use crate::session_keys::{Owners, SessionKeys};

/// What is known of a session before it is locked.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) owners: Owners,
    /// Known from before, and so perhaps gone.
    pub(super) is_remembered: bool,
}

/// The keys of sessions that are stored and not deleted; where they are not remembered, the database is asked.
pub(super) async fn sessions<'n>(
    pipeline: &mut Pipeline,
    remembered: &SessionKeys,
    names: &BTreeSet<&'n SessionName>,
) -> Attempt<BTreeMap<&'n SessionName, Found>> {
    let mut found = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in names {
        match remembered.get(name) {
            Some(owners) => drop(found.insert(*name, Found { owners, is_remembered: true })),
            None => unknown.push(*name),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let engines = engines(pipeline, &unknown).await?;
    let asked: Vec<(i64, &'n SessionName)> =
        unknown.iter().filter_map(|name| Some((*engines.get(&name.engine)?, *name))).collect();
    let (engines, ids): (Vec<i64>, Vec<&[u8]>) =
        asked.iter().map(|(engine, name)| (*engine, name.session.as_bytes())).unzip();
    let mut steps = Steps::default();
    let sessions = steps.add(Step::new(sql!("events/find")).with(engines).with(ids));
    let answers = pipeline.ask(steps).await?;
    for row in answers.of(sessions) {
        // Places are counted from 1.
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some((engine_key, name)) = asked.get(place) else { continue };
        let owners =
            Owners { engine_key: *engine_key, session_key: row.try_get(1)?, user_key: row.try_get(2)? };
        remembered.put(name, owners);
        found.insert(*name, Found { owners, is_remembered: false });
    }
    Ok(found)
}

/// The keys of the engines of sessions, as far as those are live.
async fn engines<'n>(
    pipeline: &mut Pipeline,
    names: &[&'n SessionName],
) -> Attempt<HashMap<&'n EngineName, i64>> {
    let asked: BTreeSet<&'n EngineName> = names.iter().map(|name| &name.engine).collect();
    let mut steps = Steps::default();
    let places: Vec<_> =
        asked.into_iter().map(|name| (name, steps.add(read::engines::find_step(name)))).collect();
    let answers = pipeline.ask(steps).await?;
    let mut found = HashMap::new();
    for (name, place) in places {
        if let Some(row) = answers.of(place).first() {
            found.insert(name, row.try_get(0)?);
        }
    }
    Ok(found)
}

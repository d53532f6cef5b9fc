//! From the owner and the order of a list of sessions to the statement that walks the index made for it.

use aip_filter::OrderTerm;
use colloquy_sessions::query::SessionOrder;

/// Whose sessions are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// All of an engine.
    Engine(i64),
    /// Those of one user.
    User(i64),
}

/// The statement that walks sessions of `owner` in an order: its range is on the first term.
pub(crate) fn list_sessions(owner: Owner, order: &[OrderTerm<SessionOrder>]) -> String {
    let base = match (owner, order.first().map(|term| term.field)) {
        (Owner::Engine(_), Some(SessionOrder::CreateTime)) => sql!("sessions/list_created_of_engine"),
        (Owner::User(_), Some(SessionOrder::CreateTime)) => sql!("sessions/list_created_of_user"),
        (Owner::Engine(_), _) => sql!("sessions/list_updated_of_engine"),
        (Owner::User(_), _) => sql!("sessions/list_updated_of_user"),
    };
    let direction = |descending| if descending { "DESC" } else { "ASC" };
    let mut terms: Vec<_> = order
        .iter()
        .map(|term| {
            let column = match term.field {
                SessionOrder::CreateTime => "s.create_time",
                SessionOrder::UpdateTime => "c.update_time",
            };
            format!("{column} {}", direction(term.descending))
        })
        .collect();
    terms.push(format!("s.session_id {}", direction(order.last().is_some_and(|term| term.descending))));
    format!("{base}ORDER BY {}", terms.join(", "))
}

//! From the owner and the order of a list of sessions to the statement that walks the index made for it.

use aip_filter::OrderTerm;
use colloquy_sessions::query::SessionOrder;

/// Whose sessions are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// All of an engine.
    Engine,
    /// Those of one user.
    User,
}

/// The statement that walks sessions of `owner` in an order, from a place on. Its range is on the first term. Its
/// parameters: those of the file, then the limit, the id and the value of each term of the place.
pub(crate) fn list_sessions(owner: Owner, order: &[OrderTerm<SessionOrder>]) -> String {
    let first = order.first().map(|term| term.field);
    let (base, id) = match (owner, first) {
        (Owner::Engine, Some(SessionOrder::CreateTime)) => {
            (sql!("sessions/list_created_of_engine"), "s.session_id")
        }
        (Owner::User, Some(SessionOrder::CreateTime)) => {
            (sql!("sessions/list_created_of_user"), "s.session_id")
        }
        (Owner::Engine, _) => (sql!("sessions/list_updated_of_engine"), "c.session_id"),
        (Owner::User, _) => (sql!("sessions/list_updated_of_user"), "c.session_id"),
    };
    let limit = match owner {
        Owner::Engine => 5,
        Owner::User => 6,
    };
    // Each a column, its parameter, and its direction; the id goes the way of the last term.
    let mut terms: Vec<(&str, usize, bool)> = order
        .iter()
        .zip(limit + 2..)
        .map(|(term, parameter)| {
            let column = match term.field {
                SessionOrder::CreateTime => "s.create_time",
                SessionOrder::UpdateTime => "c.update_time",
            };
            (column, parameter, term.descending)
        })
        .collect();
    terms.push((id, limit + 1, order.last().is_some_and(|term| term.descending)));
    let directed: Vec<_> = terms
        .iter()
        .map(|(column, _, descending)| format!("{column} {}", if *descending { "DESC" } else { "ASC" }))
        .collect();
    format!("{base}  AND {}\nORDER BY {}\nLIMIT ${limit}", beyond(&terms), directed.join(", "))
}

/// The condition that a row comes after the place in the parameters. Where all terms go one way it is one comparison
/// of rows, which an index can begin at.
fn beyond(terms: &[(&str, usize, bool)]) -> String {
    let sign = |descending| if descending { "<" } else { ">" };
    match terms {
        [(column, parameter, descending), rest @ ..]
            if rest.iter().any(|(_, _, other)| other != descending) =>
        {
            let sign = sign(*descending);
            format!("({column} {sign} ${parameter} OR ({column} = ${parameter} AND {}))", beyond(rest))
        }
        _ => {
            let columns: Vec<_> = terms.iter().map(|(column, ..)| *column).collect();
            let parameters: Vec<_> = terms.iter().map(|(_, parameter, _)| format!("${parameter}")).collect();
            let sign = sign(terms.first().is_some_and(|(_, _, descending)| *descending));
            format!("({}) {sign} ({})", columns.join(", "), parameters.join(", "))
        }
    }
}
